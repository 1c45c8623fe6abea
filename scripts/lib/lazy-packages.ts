/** For the build: packages that are loaded with others, cost a start much, and are called seldom. */
import type { Plugin } from 'esbuild';

/** Marks what the stand-in asks for: the package itself. */
const ITSELF = 'itself';

/**
 * Each of the packages is made at its first call. They are those whose default export is a function: importers get one
 * that asks for the package then.
 */
export function lazyPackages(names: readonly string[]): Plugin {
  return {
    name: 'lazy-packages',
    setup(build) {
      const filter = new RegExp(`^(${names.join('|')})$`);
      build.onResolve({ filter }, async ({ path, importer, kind, namespace, resolveDir, pluginData }) => {
        if (pluginData === ITSELF || namespace === ITSELF) return undefined;
        const found = await build.resolve(path, { importer, kind, resolveDir, pluginData: ITSELF });
        return found.errors.length > 0 ? found : { path: found.path, namespace: ITSELF, pluginData: resolveDir };
      });
      build.onLoad({ filter: /.*/, namespace: ITSELF }, ({ path, pluginData }) => ({
        contents: `export default (...words) => require(${JSON.stringify(path)}).default(...words);`,
        resolveDir: String(pluginData),
      }));
    },
  };
}
