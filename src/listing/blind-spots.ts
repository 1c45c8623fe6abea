/**
 * Where a find could not look. What a later listing lacks there is not gone, it was not seen: no whiteout may hide what
 * was captured of it, and the receipt names it.
 */
import { type ByteString, byteStringFromText } from '../printable.ts';
import { comparePaths, isAtOrBelow } from './path.ts';
import { escapedName, unescapedName } from './quoted-name.ts';
import type { RuleSet } from './rules.ts';

/** A path that could not be looked at, or a directory that could not be looked into. */
export interface Unseen {
  readonly path: ByteString;
  /** In the words of the source's program. */
  readonly reason: string;
}

export class BlindSpots {
  /** In path order, each path once. Those that are covered are not among them. */
  readonly unseen: readonly Unseen[];
  readonly #covered: readonly ByteString[];
  /** A complaint that names no path may be about any. */
  readonly #everywhere: boolean;

  /**
   * @param complaints lines of find, `find: '/data/x': Input/output error`, and of {@link unseenComplaint}.
   * @param covered directories that were seen, and not what lay in them, for something was mounted over them.
   */
  constructor(complaints: readonly string[], covered: Iterable<ByteString> = []) {
    this.#covered = [...covered];
    const named = complaints.map(unseenIn);
    const byPath = new Map(named.flatMap((unseen) => (unseen === undefined ? [] : [[unseen.path, unseen]])));
    this.unseen = [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
    this.#everywhere = named.includes(undefined);
  }

  covers(path: ByteString): boolean {
    if (this.#everywhere || this.unseen.some((unseen) => isAtOrBelow(path, unseen.path))) return true;
    return this.#covered.some((directory) => isAtOrBelow(path, directory));
  }
}

/** What a line of find, of stat in its place or of p2c's own is about; undefined where that cannot be told. */
export function unseenIn(complaint: string): Unseen | undefined {
  const loop = loopIn(complaint);
  if (loop !== undefined) return { path: loop, reason: 'it shows a directory again that it lies in' };
  const [, named = '', reason = ''] =
    /^(?:find|stat|p2c): (?:can(?:not|'t) \w+ )?(.*): ([^:]+)$/s.exec(complaint) ?? [];
  // GNU's programs quote names, busybox' and old ones do not.
  const quoted = /^['`\u2018](.*)['\u2019]$/s.exec(named)?.[1];
  const path = quoted === undefined ? pathFrom(named) : pathFrom(quoted, unescapedName);
  return path === undefined ? undefined : { path, reason };
}

/** What p2c itself did not look into, in the form of find's lines. @param unseen its reason without a colon. */
export function unseenComplaint({ path, reason }: Unseen): string {
  return `p2c: '${escapedName(path)}': ${reason}`;
}

/** In a name the quote that ends it has a backslash, so that no name can end early and be taken for another. */
const LOOP =
  /^find: File ?system loop detected; (?:['`]((?:[^'\\]|\\.)*)'|\u2018((?:[^\u2019\\]|\\.)*)\u2019) is part of the same file ?system loop as /s;

/** Before findutils 4.4; before 4.3, in words not much different, names were written as they are. */
const OLD_LOOP =
  /^find: Filesystem loop detected; ['`\u2018]([^\\]*)['\u2019] has the same device number and inode as a directory which is \d+ levels? higher in the file ?system hierarchy\.?$/s;

/**
 * The directory in which GNU find came upon one that it is already in, and which it neither enters nor, from 4.4 on, prints:
 * where a directory is mounted within itself, as BIND's on its chroot. All that is below is listed once. Find's warning of a
 * wrong count of hard links, in turn, names a directory and is about any.
 */
export function loopIn(complaint: string): ByteString | undefined {
  const [, plain, curly] = LOOP.exec(complaint) ?? [];
  const escaped = plain ?? curly;
  if (escaped !== undefined) return pathFrom(escaped, unescapedName);
  const [, raw] = OLD_LOOP.exec(complaint) ?? [];
  return raw === undefined ? undefined : pathFrom(raw);
}

/** Bytes that are no UTF-8 are lost where a program writes them as they are. */
function pathFrom(written: string, unescaped = (name: ByteString): ByteString => name): ByteString | undefined {
  const path = unescaped(byteStringFromText(written));
  if (!path.startsWith('/') || written.includes('\ufffd')) return undefined;
  return path.replace(/(?<=.)\/+$/, '') as ByteString;
}

/** Without those about what a rule leaves out. */
export function complaintsThatMatter(complaints: readonly string[], rules: RuleSet): string[] {
  return complaints.filter((complaint) => {
    const unseen = unseenIn(complaint);
    return unseen === undefined || rules.decide(asEntry(unseen))?.action !== 'exclude';
  });
}

/** What a rule can ask of a path that nobody saw. */
export function asEntry({ path }: Unseen): Parameters<RuleSet['decide']>[0] {
  return { path, type: 'U', size: 0, blocks: 0 };
}
