// Makes the one bundle of @heddle/xds (docs/adr/0002): minified, and with descriptors that are decoded on first use instead of at import.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const packageRoot = join(dirname(fileURLToPath(import.meta.url)), '../packages/xds');

/** Which module of @bufbuild/protobuf/codegenv2 is replaced by which of ours. */
const replacements = { file: 'lazy-file.js', message: 'lazy-type.js' };

const lazyDescriptors = {
  name: 'lazy-descriptors',
  setup(plugin) {
    const replaced = new Set();
    plugin.onLoad(
      { filter: /[\\/]@bufbuild[\\/]protobuf[\\/]dist[\\/]esm[\\/]codegenv2[\\/](file|message|enum|service)\.js$/ },
      ({ path }) => {
        const name = /(\w+)\.js$/.exec(path)[1];
        replaced.add(name);
        // Enums and services are found by the module that finds messages; tsEnum and objEnum serve other ways of generating code.
        if (!(name in replacements))
          return { contents: `export { ${name}Desc } from './message.js';`, loader: 'js', resolveDir: dirname(path) };
        const contents = readFileSync(join(packageRoot, 'bundle', replacements[name]), 'utf8');
        return { contents, loader: 'js', resolveDir: dirname(path) };
      },
    );
    plugin.onLoad({ filter: /[\\/]codegenv2[\\/]descriptor-reader\.js$/ }, ({ path }) => {
      const contents = readFileSync(join(packageRoot, 'bundle/descriptor-reader.js'), 'utf8');
      return { contents, loader: 'js', resolveDir: dirname(path) };
    });
    plugin.onResolve({ filter: /^\.\/descriptor-reader\.js$/ }, ({ resolveDir, path }) => ({
      path: join(resolveDir, path),
      namespace: 'file',
    }));
    plugin.onEnd(() => {
      // A new version of the library that moved its modules must not silently bring the slow start back.
      for (const name of ['file', 'message', 'enum', 'service'])
        if (!replaced.has(name))
          throw new Error(`@bufbuild/protobuf has no codegenv2/${name}.js any more: adapt packages/xds/bundle`);
    });
  },
};

/** True when `outfile` is missing or older than the compiled sources or what makes the bundle. */
export function isBundleStale(outfile) {
  if (!existsSync(outfile)) return true;
  const replaced = readdirSync(join(packageRoot, 'bundle')).map((name) => join(packageRoot, 'bundle', name));
  const inputs = [join(packageRoot, 'dist/.tsbuildinfo'), fileURLToPath(import.meta.url), ...replaced];
  const madeMs = statSync(outfile).mtimeMs;
  return inputs.some((input) => statSync(input).mtimeMs > madeMs);
}

/** Bundles packages/xds/src/index.ts into `outfile`. */
export async function bundleXds(outfile) {
  const { build } = await import('esbuild');
  await build({
    entryPoints: [join(packageRoot, 'src/index.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    logLevel: 'warning',
    // Names stay: stack traces and profiles of users are read by people.
    minifyWhitespace: true,
    minifySyntax: true,
    plugins: [lazyDescriptors],
  });
}
