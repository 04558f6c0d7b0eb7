// Makes the bundles of @heddle/config and @heddle/core that `import` loads: one file instead of hundreds halves the time to start
// (docs/adr/0008). Types, and the sources that debuggers show, stay one file each. Other packages are never part of a bundle, so that
// a process holds each of them once; `yaml` is, because only @heddle/config uses it.
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packages = join(dirname(fileURLToPath(import.meta.url)), '../packages');

const recipes = [
  { name: 'config', entries: ['index.ts'], inlined: ['yaml'] },
  { name: 'core', entries: ['index.ts', 'driver.ts', 'register.ts', 'testing/index.ts'], inlined: [] },
];

/**
 * Builtins that a start needs, but not all of: an ES import reads each export, and `WebSocket` of node:http loads the undici inside Node (20 to 30 ms),
 * `webcrypto` and `diff` a dozen modules more.
 */
const readInPart = ['node:http', 'node:crypto', 'node:util'];

/**
 * Builtins that a mesh without TLS, name resolution or secrets in files does not need, and node:fs, of which an ES import reads `promises`: 5 ms of
 * each start. They are loaded when the first export is used.
 */
const loadedOnUse = ['node:tls', 'node:zlib', 'node:fs', 'node:fs/promises', 'node:dns/promises'];

/** Makes every bundle that is missing or older than its sources. */
export async function bundlePackages() {
  for (const recipe of recipes) {
    const root = join(packages, recipe.name);
    const outdir = join(root, 'dist/bundle');
    if (isStale(root, outdir)) await bundle(recipe, root, outdir);
  }
}

function isStale(root, outdir) {
  const made = join(outdir, 'index.js');
  if (!existsSync(made)) return true;
  const sources = readdirSync(join(root, 'src'), { recursive: true }).map((name) => join(root, 'src', name));
  const madeMs = statSync(made).mtimeMs;
  return [...sources, fileURLToPath(import.meta.url)].some((input) => statSync(input).mtimeMs > madeMs);
}

async function bundle({ entries, inlined }, root, outdir) {
  const { build } = await import('esbuild');
  const former = existsSync(outdir) ? readdirSync(outdir).filter((name) => name.startsWith('chunk-')) : [];
  const { metafile } = await build({
    entryPoints: entries.map((entry) => join(root, 'src', entry)).filter((entry) => existsSync(entry)),
    outbase: join(root, 'src'),
    outdir,
    // Entries and lazily loaded parts share chunks: a module exists once, whoever imports it first.
    splitting: true,
    chunkNames: 'chunk-[hash]',
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
    legalComments: 'eof',
    metafile: true,
    plugins: [externalPackages(inlined)],
  });
  const written = Object.keys(metafile.outputs).map((path) => path.split('/').at(-1));
  for (const name of former) if (!written.includes(name)) rmSync(join(outdir, name), { force: true });
  for (const name of inlined) addLicense(name, outdir);
}

/** Everything that is not a file of the package itself stays an import, but for the packages that are taken in. */
function externalPackages(inlined) {
  return {
    name: 'external-packages',
    setup(plugin) {
      plugin.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
        if (kind === 'entry-point') return undefined;
        // The build for browsers is the one that is made of ES modules and needs nothing of Node.
        if (inlined.includes(path)) return { path: join(packages, '../node_modules', path, 'browser/index.js') };
        if (readInPart.includes(path) || loadedOnUse.includes(path)) return { path, namespace: 'builtin' };
        return { path, external: true };
      });
      plugin.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
        contents: loadedOnUse.includes(path) ? onUse(path) : `module.exports = process.getBuiltinModule('${path}')`,
      }));
    },
  };
}

/** Each export of a builtin as a getter that loads it. */
function onUse(path) {
  const names = JSON.stringify(Object.keys(process.getBuiltinModule(path)));
  return `let loaded;
for (const name of ${names})
  Object.defineProperty(module.exports, name, {
    enumerable: true,
    get: () => (loaded ??= process.getBuiltinModule('${path}'))[name],
  });`;
}

/** The licence of what is taken in has to travel with it. */
function addLicense(name, outdir) {
  const folder = join(packages, '../node_modules', name);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const text = readFileSync(join(folder, 'LICENSE'), 'utf8');
  writeFileSync(join(outdir, 'THIRD-PARTY-LICENSES'), `${name} ${version}\n\n${text}`);
}
