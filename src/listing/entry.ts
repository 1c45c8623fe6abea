/** One path of a source's filesystems at a moment, as `find` or its fallbacks report it. */
import type { ByteString } from '../printable.ts';

/** As `find -printf %y` names them; `U` is a type that the source's tool could not tell. */
export type EntryType = 'f' | 'd' | 'l' | 'p' | 's' | 'b' | 'c' | 'U';

const TYPES: readonly string[] = ['f', 'd', 'l', 'p', 's', 'b', 'c', 'U'] satisfies EntryType[];

export function isEntryType(text: string): text is EntryType {
  return TYPES.includes(text);
}

/** Of a time that the source's tools told in whole seconds only: an old find's, or a stat's without fractions. */
export const UNKNOWN_NANOSECONDS = -1;

/** Seconds since 1970 (negative before) and the nanoseconds to add. */
export interface Instant {
  readonly seconds: number;
  /** 0..999_999_999, or {@link UNKNOWN_NANOSECONDS}: never a zero that nobody read. */
  readonly nanoseconds: number;
}

export interface Entry {
  /** Absolute, as bytes; `/` alone is the root, and no other path ends in a slash. */
  readonly path: ByteString;
  readonly type: EntryType;
  /** Permission bits, 0..0o7777. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Bytes. */
  readonly size: number;
  /** Allocated blocks of 512 bytes: fewer than `size` needs where the file has holes, or its disk compresses it. */
  readonly blocks: number;
  readonly mtime: Instant;
  readonly ctime: Instant;
  /** Device number of the filesystem the entry lies on, as `stat` gives it. */
  readonly device: number;
  readonly inode: number;
  readonly links: number;
  /** Target of a symbolic link, as bytes; empty for everything else. */
  readonly target: ByteString;
}

/** True for an entry that shares its inode with another name. Directories count subdirectories as links. */
export function isHardLinked(entry: Entry): boolean {
  return entry.links > 1 && entry.type !== 'd';
}

/** Names one inode of a source: equal for all names of a hard-link group. */
export function inodeKey(entry: Pick<Entry, 'device' | 'inode'>): string {
  return `${entry.device}:${entry.inode}`;
}

/**
 * What the entry will occupy in a tar stream: header, an extended header, content in blocks of 512.
 * @param holes bytes of them that are not written out.
 */
export function tarSize(entry: Pick<Entry, 'type' | 'size'>, holes = 0): number {
  const content = entry.type === 'f' ? Math.ceil((entry.size - holes) / 512) * 512 : 0;
  return content + 512 + 1024;
}
