// Builds every package: type declarations and code with tsc's project references, and bundles of what services
// import (docs/adr/0002, docs/adr/0008).
import { spawnSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundlePackages } from './package-bundles.mjs';
import { bundleXds, isBundleStale } from './xds-bundle.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const tsc = join(root, 'node_modules/typescript7/bin/tsc');
const { status } = spawnSync(process.execPath, [tsc, '-b', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
// tsc writes code in spite of type errors, and so do the bundles: what runs is what was written.
if (status !== 0) process.exitCode = 1;

const bundle = join(root, 'packages/xds/dist/bundle.js');
if (isBundleStale(bundle)) await bundleXds(bundle);
await bundlePackages();
