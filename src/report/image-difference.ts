/** What differs between two images, path by path: type, owner, mode, time, target, content, extended attributes. */
import type { ByteString } from '../printable.ts';
import { type Found, order, type PathsInOrder } from './image-paths.ts';

export interface Difference {
  readonly path: ByteString;
  readonly kind: 'only in the first' | 'only in the second' | 'differs';
  /** Of `differs`: what, as `mode 644 → 755`. */
  readonly what: readonly string[];
}

/** In path order. */
export async function* differences(first: PathsInOrder, second: PathsInOrder): AsyncGenerator<Difference> {
  for (;;) {
    const [a, b] = [first.next, second.next];
    if (a === undefined && b === undefined) return;
    const side = a === undefined ? 1 : b === undefined ? -1 : order(a.path, b.path);
    if (a !== undefined && b !== undefined && side === 0) {
      const what = compare(a, b);
      if (what.length > 0) yield { path: a.path, kind: 'differs', what };
    } else if (a !== undefined && side < 0) yield { path: a.path, kind: 'only in the first', what: [] };
    else if (b !== undefined) yield { path: b.path, kind: 'only in the second', what: [] };
    if (side <= 0) await first.advance();
    if (side >= 0) await second.advance();
  }
}

function compare(a: Found, b: Found): string[] {
  const what: string[] = [];
  const same = (name: string, one: unknown, other: unknown): void => {
    if (one !== other) what.push(`${name} ${String(one ?? 'none')} → ${String(other ?? 'none')}`);
  };
  same('type', typeOf(a), typeOf(b));
  same('mode', octal(a), octal(b));
  for (const key of ['uid', 'gid', 'mtime', 'device']) same(key, a.attributes.get(key), b.attributes.get(key));
  same('target', a.target, b.target);
  same('linked to', a.hardLink, b.hardLink);
  if (a.digest !== b.digest) what.push(a.size === b.size ? 'content' : `content (${a.size} → ${b.size} bytes)`);
  for (const key of xattrKeys(a, b)) {
    if (a.attributes.get(key) !== b.attributes.get(key)) what.push(key.slice(XATTR.length));
  }
  return what;
}

const XATTR = 'SCHILY.xattr.';

function xattrKeys(a: Found, b: Found): string[] {
  const keys = new Set([...a.attributes.keys(), ...b.attributes.keys()]);
  return [...keys].filter((key) => key.startsWith(XATTR)).sort();
}

function octal({ attributes }: Found): string {
  return Number(attributes.get('mode') ?? 0).toString(8);
}

/** A further name of a file is a file, too. */
function typeOf({ flag }: Found): string {
  return NAMES[flag] ?? flag;
}

const NAMES: Readonly<Record<string, string>> = {
  '0': 'file',
  '1': 'file',
  '2': 'symbolic link',
  '3': 'character device',
  '4': 'block device',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};
