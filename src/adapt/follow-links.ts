/** Where paths lead within a root that is not unpacked. */
import type { TreeEntry } from './overlay.ts';

/** As the kernel's limit, path_resolution(7). */
const MOST_LINKS = 40;

/**
 * Where a path leads within a root, every link followed; undefined where it leads nowhere. The last component need not
 * exist. A link never leaves the root.
 */
export function followLinks(
  at: (path: string) => Pick<TreeEntry, 'kind' | 'target'> | undefined,
  path: string,
): string | undefined {
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...more] = rest;
    rest = more;
    if (name === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const here = `/${[...done, name].join('/')}`;
    const entry = at(here);
    if (entry?.kind === 'symlink') {
      links += 1;
      if (links > MOST_LINKS) return undefined;
      if (entry.target.startsWith('/')) done = [];
      rest = [...entry.target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
    } else if (rest.length > 0 && entry !== undefined && entry.kind !== 'directory') return undefined;
    else done = [...done, name];
  }
  return `/${done.join('/')}`;
}
