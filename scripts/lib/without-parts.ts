/** For the build: files of packages that are loaded with others, and of which p2c uses nothing. */
import type { Plugin } from 'esbuild';

/** @param files as `PACKAGE/…/NAME.js`: each is a module of CommonJS without exports. @throws Error at the build's end where one is not there. */
export function withoutParts(files: readonly string[]): Plugin {
  return {
    name: 'without-parts',
    setup(build) {
      const found = new Set<string>();
      build.onLoad({ filter: /node_modules/ }, ({ path }) => {
        const file = files.find((each) => path.endsWith(`/node_modules/${each}`));
        if (file === undefined) return undefined;
        found.add(file);
        return { contents: '' };
      });
      build.onEnd(() => {
        const missing = files.filter((file) => !found.has(file));
        if (missing.length > 0) throw new Error(`no package has ${missing.join(', ')}`);
      });
    },
  };
}
