/**
 * Where a find could not look. What a later listing lacks there is not gone, it was not seen: no whiteout may hide what
 * was captured of it, and the receipt names it.
 */
import { type ByteString, byteStringFromText } from '../printable.ts';
import { comparePaths, isAtOrBelow } from './path.ts';
import { unescapedName } from './quoted-name.ts';
import type { RuleSet } from './rules.ts';

/** A path that could not be looked at, or a directory that could not be looked into. */
export interface Unseen {
  readonly path: ByteString;
  /** In the words of the source's program. */
  readonly reason: string;
}

export class BlindSpots {
  /** In path order, each path once. */
  readonly unseen: readonly Unseen[];
  /** A complaint that names no path may be about any. */
  readonly #everywhere: boolean;

  /** @param complaints lines of find: `find: '/data/x': Input/output error`. */
  constructor(complaints: readonly string[]) {
    const named = complaints.map(unseenIn);
    const byPath = new Map(named.flatMap((unseen) => (unseen === undefined ? [] : [[unseen.path, unseen]])));
    this.unseen = [...byPath.values()].sort((a, b) => comparePaths(a.path, b.path));
    this.#everywhere = named.includes(undefined);
  }

  covers(path: ByteString): boolean {
    return this.#everywhere || this.unseen.some((unseen) => isAtOrBelow(path, unseen.path));
  }
}

/** What a line of find, or of stat in its place, is about; undefined where that cannot be told. */
export function unseenIn(complaint: string): Unseen | undefined {
  const [, named = '', reason = ''] = /^(?:find|stat): (?:can(?:not|'t) \w+ )?(.*): ([^:]+)$/s.exec(complaint) ?? [];
  // GNU's programs quote names, busybox' and old ones do not.
  const quoted = /^['`\u2018](.*)['\u2019]$/s.exec(named)?.[1];
  const path = quoted === undefined ? byteStringFromText(named) : unescapedName(byteStringFromText(quoted));
  // Bytes that are no UTF-8 are lost where a program writes them as they are.
  if (!path.startsWith('/') || named.includes('\ufffd')) return undefined;
  return { path: path.replace(/(?<=.)\/+$/, '') as ByteString, reason };
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
