// Runs every benchmark with short settings, one after another, and prints what each says. `npm run bench` builds first; `npm run bench -- NAME…` runs
// only those whose name contains one of the words. Figures for a claim need the long settings: see README.md.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const BENCHMARKS = [
  ['null-transport', 'outbound-null-transport/run.mjs', '100000'],
  ['telemetry', 'telemetry.ts'],
  ['xds-decode', 'xds-decode.ts'],
  ['startup', 'startup.ts'],
  ['overhead', 'overhead.ts', '--spawns', '2', '--rounds', '3', '--requests', '2000', '--warm-up', '10000'],
  ['scale', 'scale.ts'],
  ['fan-out', 'fan-out.ts', '--edits', '3'],
];

const words = process.argv.slice(2);
const chosen = BENCHMARKS.filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
if (chosen.length === 0) {
  console.error(`no benchmark is named so; there are: ${BENCHMARKS.map(([name]) => name).join(', ')}`);
  process.exit(2);
}

const load = readFileSync('/proc/loadavg', 'utf8').split(' ').slice(0, 3).join(' ');
console.log(`node ${process.version}, load ${load}`);
const failed = [];
for (const [name, script, ...args] of chosen) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  if (!existsSync(path)) continue;
  console.log(`\n== ${name}`);
  const { status } = spawnSync(process.execPath, [path, ...args], { stdio: 'inherit' });
  if (status !== 0) failed.push(name);
}
if (failed.length > 0) {
  console.error(`\nfailed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
