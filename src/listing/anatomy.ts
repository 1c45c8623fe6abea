/** What a capture is made of: where its bytes are, and which of its entries are hard to carry. */
import type { ByteString } from '../printable.ts';
import { bytesOf } from '../printable.ts';
import { type Entry, inodeKey, isHardLinked } from './entry.ts';

/** Of a file: its names are all known only when all entries came. */
const SEVERED = 'hard link with a name that is left out';

/** Bytes of the longest path that the kernel takes: PATH_MAX without the NUL at its end (linux/limits.h). */
export const LONGEST_PATH = 4095;
/** find sees such paths from folder to folder, but no tar can open them. */
export const TOO_LONG = `path of more than ${LONGEST_PATH} bytes`;

export const HAZARD_KINDS = [
  TOO_LONG,
  'device node',
  'name that is no UTF-8',
  'name with control characters',
  'owner above 65535',
  'time before 1970 or after 2037',
  'file above 8 GiB',
  'file with holes',
  'setuid or setgid program',
  SEVERED,
] as const;
export type HazardKind = (typeof HAZARD_KINDS)[number];

export interface Hazard {
  readonly kind: HazardKind;
  entries: number;
  /** The first of them. */
  readonly examples: ByteString[];
}

interface Top {
  entries: number;
  bytes: number;
}

export interface LargeFile {
  readonly path: ByteString;
  readonly size: number;
}

const EXAMPLES = 10;
const LARGEST = 10;
/** A root with more entries than this is summed up under `…`. */
const MOST_TOPS = 200;
const OTHERS = '…' as ByteString;
const LAST_32_BIT_SECOND = 2 ** 31 - 1;
const GIB = 1024 ** 3;
const SETUID_OR_SETGID = 0o6000;
/** What allocation in blocks leaves over is no hole. */
const SMALLEST_HOLE = 1024 * 1024;

type HazardListener = (kind: HazardKind, path: ByteString) => void;

/** Takes the entries that are to be captured, one after the other, and then `finish`. */
export class Anatomy {
  readonly #tops = new Map<string, Top>();
  readonly #hazards = new Map<HazardKind, Hazard>();
  #largest: LargeFile[] = [];
  /** Files with several names of which not all came yet. Grows with these only, not with the listing. */
  readonly #groups = new Map<string, { readonly path: ByteString; missing: number }>();
  readonly #onHazard: HazardListener;

  /** @param onHazard told of every path of a hazard: of each only the first are held. */
  constructor(onHazard: HazardListener = () => {}) {
    this.#onHazard = onHazard;
  }

  add(entry: Entry): void {
    this.#addToTop(entry);
    if (entry.type === 'f') this.#addToLargest(entry);
    if (isHardLinked(entry)) this.#addName(entry);
    for (const kind of hazardsOf(entry)) this.#addHazard(kind, entry.path);
  }

  /** Once all entries came: files of which a name did not are a hazard, each told of by the first name that did. */
  finish(): void {
    for (const { path } of this.#groups.values()) this.#addHazard(SEVERED, path);
    this.#groups.clear();
  }

  /** Directories under the root, the heaviest first. */
  get tops(): { path: ByteString; entries: number; bytes: number }[] {
    return [...this.#tops]
      .map(([path, top]) => ({ path: path as ByteString, ...top }))
      .sort((a, b) => b.bytes - a.bytes || b.entries - a.entries);
  }

  /** The largest files, the largest first. */
  get largest(): readonly LargeFile[] {
    return this.#largest;
  }

  get hazards(): Hazard[] {
    return [...this.#hazards.values()];
  }

  #addName(entry: Entry): void {
    const key = inodeKey(entry);
    const group = this.#groups.get(key) ?? { path: entry.path, missing: entry.links };
    group.missing -= 1;
    if (group.missing === 0) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }

  #addToTop({ path, type, size }: Entry): void {
    const slash = path.indexOf('/', 1);
    const name = slash < 0 ? path : path.slice(0, slash);
    const known = this.#tops.has(name) || this.#tops.size < MOST_TOPS ? name : OTHERS;
    const top = this.#tops.get(known) ?? { entries: 0, bytes: 0 };
    top.entries += 1;
    if (type === 'f') top.bytes += size;
    this.#tops.set(known, top);
  }

  #addToLargest({ path, size }: Entry): void {
    if (this.#largest.length === LARGEST && size <= (this.#largest.at(-1)?.size ?? 0)) return;
    const at = this.#largest.findIndex((file) => file.size < size);
    this.#largest.splice(at < 0 ? this.#largest.length : at, 0, { path, size });
    this.#largest = this.#largest.slice(0, LARGEST);
  }

  #addHazard(kind: HazardKind, path: ByteString): void {
    const hazard = this.#hazards.get(kind) ?? { kind, entries: 0, examples: [] };
    hazard.entries += 1;
    if (hazard.examples.length < EXAMPLES) hazard.examples.push(path);
    this.#hazards.set(kind, hazard);
    this.#onHazard(kind, path);
  }
}

function hazardsOf(entry: Entry): HazardKind[] {
  const kinds: HazardKind[] = [];
  if (entry.path.length > LONGEST_PATH) kinds.push(TOO_LONG);
  if (entry.type === 'b' || entry.type === 'c') kinds.push('device node');
  if (entry.uid > 65_535 || entry.gid > 65_535) kinds.push('owner above 65535');
  if (entry.mtime.seconds < 0 || entry.mtime.seconds > LAST_32_BIT_SECOND) kinds.push('time before 1970 or after 2037');
  if (entry.type === 'f') {
    if (entry.size > 8 * GIB) kinds.push('file above 8 GiB');
    if (entry.size - entry.blocks * 512 >= SMALLEST_HOLE) kinds.push('file with holes');
    if ((entry.mode & SETUID_OR_SETGID) !== 0) kinds.push('setuid or setgid program');
  }
  if (!/^[\x20-\x7e]*$/.test(entry.path)) {
    if (/[\x00-\x1f\x7f]/.test(entry.path)) kinds.push('name with control characters');
    if (!isUtf8(entry.path)) kinds.push('name that is no UTF-8');
  }
  return kinds;
}

function isUtf8(path: ByteString): boolean {
  const bytes = bytesOf(path);
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}
