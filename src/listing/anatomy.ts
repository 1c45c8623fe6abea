/** What a capture is made of: where its bytes are, and which of its entries are hard to carry. */
import type { ByteString } from '../printable.ts';
import { bytesOf } from '../printable.ts';
import { type Entry, inodeKey, isHardLinked } from './entry.ts';
import { Holes } from './holes.ts';
import { LowestPaths } from './lowest.ts';
import { comparePaths } from './path.ts';

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
  readonly entries: number;
  /** The first of them. */
  readonly examples: readonly ByteString[];
}

interface OpenHazard {
  entries: number;
  readonly examples: LowestPaths;
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

/** Takes the entries that are to be captured, in any order, and then `finish`. */
export class Anatomy {
  readonly #tops = new Map<string, Top>();
  readonly #hazards = new Map<HazardKind, OpenHazard>();
  /** Of the entry before: neighbours lie in one. */
  #top: { readonly name: string; readonly below: string; readonly top: Top } | undefined;
  #largest: LargeFile[] = [];
  /** Size of the last of them, once they are as many as are kept. */
  #largeFrom = 0;
  /** Files with several names of which not all came yet. Grows with these only, not with the listing. */
  readonly #groups = new Map<string, { path: ByteString; missing: number }>();
  readonly #onHazard: HazardListener;
  readonly #holes: Holes;

  /** @param onHazard told of every path of a hazard: of each only the first are held. */
  constructor(onHazard: HazardListener = () => {}, holes = new Holes()) {
    this.#onHazard = onHazard;
    this.#holes = holes;
  }

  add(entry: Entry): void {
    this.#addToTop(entry);
    if (entry.type === 'f' && entry.size >= this.#largeFrom) this.#addToLargest(entry);
    if (isHardLinked(entry)) this.#addName(entry);
    if (mayBeHazard(entry)) this.#addHazards(entry);
  }

  /** Once all entries came: files of which a name did not are a hazard, each told of by the first of the names that did. */
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
    return HAZARD_KINDS.flatMap((kind) => {
      const hazard = this.#hazards.get(kind);
      return hazard === undefined ? [] : [{ kind, entries: hazard.entries, examples: hazard.examples.paths }];
    });
  }

  #addName(entry: Entry): void {
    const key = inodeKey(entry);
    const group = this.#groups.get(key) ?? { path: entry.path, missing: entry.links };
    group.missing -= 1;
    if (comparePaths(entry.path, group.path) < 0) group.path = entry.path;
    if (group.missing === 0) this.#groups.delete(key);
    else this.#groups.set(key, group);
  }

  #addToTop({ path, type, size }: Entry): void {
    if (this.#top === undefined || !(path.startsWith(this.#top.below) || path === this.#top.name)) this.#findTop(path);
    const top = this.#top?.top;
    if (top === undefined) return;
    top.entries += 1;
    if (type === 'f') top.bytes += size;
  }

  #findTop(path: ByteString): void {
    const slash = path.indexOf('/', 1);
    const name = slash < 0 ? path : path.slice(0, slash);
    const known = this.#tops.has(name) || this.#tops.size < MOST_TOPS ? name : OTHERS;
    const top = this.#tops.get(known) ?? { entries: 0, bytes: 0 };
    this.#tops.set(known, top);
    this.#top = { name, below: `${name}/`, top };
  }

  #addToLargest({ path, size }: Entry): void {
    const at = this.#largest.findIndex((file) => isLarger({ path, size }, file));
    this.#largest.splice(at < 0 ? this.#largest.length : at, 0, { path, size });
    this.#largest = this.#largest.slice(0, LARGEST);
    if (this.#largest.length === LARGEST) this.#largeFrom = this.#largest.at(-1)?.size ?? 0;
  }

  #addHazards(entry: Entry): void {
    tellHazards(entry, this.#holes, (kind) => this.#addHazard(kind, entry.path));
  }

  #addHazard(kind: HazardKind, path: ByteString): void {
    const hazard = this.#hazards.get(kind) ?? { entries: 0, examples: new LowestPaths(EXAMPLES) };
    hazard.entries += 1;
    hazard.examples.add(path);
    this.#hazards.set(kind, hazard);
    this.#onHazard(kind, path);
  }
}

/** Of files of one size, the first path counts as the larger. */
function isLarger(file: LargeFile, than: LargeFile): boolean {
  return file.size > than.size || (file.size === than.size && comparePaths(file.path, than.path) < 0);
}

/** False for nearly all entries, and quick to say. */
function mayBeHazard({ path, type, uid, gid, size, blocks, mode, mtime }: Entry): boolean {
  return (
    path.length > LONGEST_PATH ||
    type === 'b' ||
    type === 'c' ||
    uid > 65_535 ||
    gid > 65_535 ||
    mtime.seconds < 0 ||
    mtime.seconds > LAST_32_BIT_SECOND ||
    size - blocks * 512 >= SMALLEST_HOLE ||
    size > 8 * GIB ||
    (mode & SETUID_OR_SETGID) !== 0 ||
    !PLAIN.test(path)
  );
}

const PLAIN = /^[\x20-\x7e]*$/;

function tellHazards(entry: Entry, holes: Holes, tell: (kind: HazardKind) => void): void {
  if (entry.path.length > LONGEST_PATH) tell(TOO_LONG);
  if (entry.type === 'b' || entry.type === 'c') tell('device node');
  if (entry.uid > 65_535 || entry.gid > 65_535) tell('owner above 65535');
  if (entry.mtime.seconds < 0 || entry.mtime.seconds > LAST_32_BIT_SECOND) tell('time before 1970 or after 2037');
  if (entry.type === 'f') {
    if (entry.size > 8 * GIB) tell('file above 8 GiB');
    if (holes.of(entry) >= SMALLEST_HOLE) tell('file with holes');
    if ((entry.mode & SETUID_OR_SETGID) !== 0) tell('setuid or setgid program');
  }
  if (!PLAIN.test(entry.path)) {
    if (/[\x00-\x1f\x7f]/.test(entry.path)) tell('name with control characters');
    if (!isUtf8(entry.path)) tell('name that is no UTF-8');
  }
}

function isUtf8(path: ByteString): boolean {
  const bytes = bytesOf(path);
  return Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes);
}
