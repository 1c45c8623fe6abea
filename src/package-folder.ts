/** Where this package lies: what it ships beside its code (`package.json`, `profiles/`) is found from there. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The nearest folder above with a `package.json`: how deep the code lies below it differs between `src/` and a built file. */
export function packageFolder(): string {
  let folder = new URL('.', import.meta.url);
  while (!existsSync(new URL('package.json', folder))) {
    const above = new URL('..', folder);
    if (above.href === folder.href) throw new Error(`no package.json lies above ${fileURLToPath(import.meta.url)}`);
    folder = above;
  }
  return fileURLToPath(folder);
}
