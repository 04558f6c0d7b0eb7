// Every gate of the project, one after another; all run even when one fails, and the exit code says whether all passed.
// `--no-tests` leaves vitest out (CI has just run it as `npm test`).
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const bin = (name) => join(root, 'node_modules/.bin', name);
const packages = readdirSync(join(root, 'packages')).filter((name) =>
  existsSync(join(root, 'packages', name, 'package.json')),
);
const libraries = packages.filter((name) => existsSync(join(root, 'packages', name, 'api-extractor.json')));

execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'inherit', cwd: root });

const gates = [
  ['types of tests', process.execPath, [join(root, 'node_modules/typescript7/bin/tsc'), '-p', 'tsconfig.tests.json']],
  ['prettier', bin('prettier'), ['--check', '--log-level', 'warn', '.']],
  ['eslint', bin('eslint'), ['--max-warnings', '0', '.']],
  ['dependency-cruiser', bin('depcruise'), ['packages', 'examples/bookinfo/services', '--output-type', 'err']],
  ['knip', bin('knip'), []],
  ...packages.map((name) => [`publint ${name}`, bin('publint'), ['--strict', join('packages', name)]]),
  ...packages.map((name) => [
    `attw ${name}`,
    bin('attw'),
    ['--pack', join('packages', name), '--profile', 'esm-only', '--quiet'],
  ]),
  ...libraries.map((name) => [
    `api report ${name}`,
    bin('api-extractor'),
    [
      'run',
      '-c',
      join('packages', name, 'api-extractor.json'),
      ...(process.argv.includes('--update-api') ? ['--local'] : []),
    ],
  ]),
  ...(process.argv.includes('--no-tests') ? [] : [['vitest', bin('vitest'), ['run']]]),
];

const failed = [];
for (const [name, command, args] of gates) {
  const started = Date.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: process.env });
  console.log(`${status === 0 ? 'ok  ' : 'FAIL'} ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nfailed gates: ${failed.join(', ')}`);
  process.exit(1);
}
console.log('\nall gates passed');
