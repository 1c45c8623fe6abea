/** For the build: what packages have compiled for this machine is no text, and stays where npm put it. */
import { relative, resolve } from 'node:path';
import type { Plugin } from 'esbuild';

/** Native parts are asked for as `PACKAGE/…/NAME.node`, which is found from wherever p2c was installed. @param home p2c's own folder. */
export function nativeParts(home: string): Plugin {
  return {
    name: 'native-parts',
    setup(build) {
      build.onResolve({ filter: /\.node$/ }, ({ path, resolveDir }) => {
        const inside = relative(resolve(home, 'node_modules'), resolve(resolveDir, path));
        return { path: inside, external: true };
      });
    },
  };
}
