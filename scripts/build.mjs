// Builds every package: type declarations and code with tsc's project references, and one bundle for @heddle/xds
// (89 generated modules load in a third of the time when they are one file: docs/adr/0002).
import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules/typescript7/bin/tsc');
execFileSync(process.execPath, [tsc, '-b', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });

const bundle = join(root, 'packages/xds/dist/bundle.js');
const stamp = join(root, 'packages/xds/dist/.tsbuildinfo');
if (!existsSync(bundle) || statSync(bundle).mtimeMs < statSync(stamp).mtimeMs) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(root, 'packages/xds/src/index.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
  });
}
