/** Paths as bytes, and the one order p2c sorts them in. */
import type { ByteString } from '../printable.ts';

const SLASH = 0x2f;

/**
 * The key that sorts paths by their components' bytes: a slash is lower than any byte a name can hold, so a directory
 * comes right before everything in it. Plain byte order would put `/a-b` between `/a` and `/a/b`, and then the parents
 * of a path could not be kept on a stack.
 */
export function sortKey(path: ByteString): string {
  return path === '/' ? '' : path.replaceAll('/', '\0');
}

/** Compares as {@link sortKey} sorts, without making the keys. */
export function comparePaths(a: ByteString, b: ByteString): number {
  if (a === b) return 0;
  if (a === '/') return -1;
  if (b === '/') return 1;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return x === SLASH ? -1 : y === SLASH ? 1 : x - y;
  }
  return a.length - b.length;
}

/** True where `path` lies below `directory`; false for the directory itself. */
export function isBelow(path: ByteString, directory: ByteString): boolean {
  if (directory === '/') return path !== '/';
  return path.length > directory.length && path.charCodeAt(directory.length) === SLASH && path.startsWith(directory);
}

export function isAtOrBelow(path: ByteString, directory: ByteString): boolean {
  return path === directory || isBelow(path, directory);
}

/** Where the last component's slash is: names are short, and V8 has nothing quick that looks from the end. */
export function lastSlash(path: ByteString): number {
  let at = path.length - 1;
  while (at >= 0 && path.charCodeAt(at) !== SLASH) at -= 1;
  return at;
}

/** The directory a path lies in; the root's is the root. */
export function parentOf(path: ByteString): ByteString {
  const slash = path.lastIndexOf('/');
  return (slash <= 0 ? '/' : path.slice(0, slash)) as ByteString;
}
