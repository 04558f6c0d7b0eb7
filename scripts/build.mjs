// Builds every package: type declarations and code with tsc's project references, and one bundle for @heddle/xds
// (docs/adr/0002).
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleXds, isBundleStale } from './xds-bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules/typescript7/bin/tsc');
execFileSync(process.execPath, [tsc, '-b', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });

const bundle = join(root, 'packages/xds/dist/bundle.js');
if (isBundleStale(bundle)) await bundleXds(bundle);
