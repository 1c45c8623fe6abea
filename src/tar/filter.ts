/**
 * The raw filter of the hot path. It follows a tar stream from header to header, passes the bytes of wanted entries on
 * untouched (binary extended attributes, large ids and nanoseconds survive because nothing is written anew), and leaves
 * out what was not asked for and any second entry of a path. Both the stream and the list of wanted paths are in one
 * order, so comparing them takes a cursor and no table of names.
 */
import { P2cError } from '../errors.ts';
import { comparePaths } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import { ANOMALY_KINDS, type Anomaly, type AnomalyCounts, type AnomalyKind } from './anomaly.ts';
import { ContentDigest, EMPTY_DIGEST } from './content-digest.ts';
import { ExtendedHeaders } from './extended.ts';
import { BLOCK, type Header, HeaderError, isZeroBlock, parseHeader } from './header.ts';
import { cleanName } from './name.ts';
import { malformed, refuseType } from './refusal.ts';
import { WHITEOUT_PREFIX } from './whiteout.ts';

/** What a stream is compared with, in the stream's order. */
export interface WantedPaths {
  next(): { readonly path: ByteString; readonly hardLinked: boolean } | undefined;
}

/** An entry that was passed on, with all of its content. */
export interface Delivered {
  readonly path: ByteString;
  /** `sha256:…` of a regular file's content; undefined for everything else. */
  readonly digest: string | undefined;
  /** The name that a further name of a file is linked to. */
  readonly hardLink: ByteString | undefined;
  /** What was changed in its headers. */
  readonly fixes: readonly AnomalyKind[];
}

export interface FilterCounts {
  entries: number;
  /** Content bytes of regular files. */
  contentBytes: number;
  /** Bytes handed on. */
  bytes: number;
  notAskedFor: number;
  secondEntries: number;
  danglingLinks: number;
  notDelivered: number;
  /** All of the above and the guards' fixes and losses, by kind. */
  anomalies: AnomalyCounts;
}

const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);

type State = 'header' | 'extended' | 'content' | 'ended';

/** Feed chunks to `push` and write what it gives; `end` gives the last bytes, or throws where the stream was cut. */
export class TarFilter {
  readonly counts: FilterCounts = {
    entries: 0,
    contentBytes: 0,
    bytes: 0,
    notAskedFor: 0,
    secondEntries: 0,
    danglingLinks: 0,
    notDelivered: 0,
    anomalies: {},
  };
  readonly #wanted: WantedPaths;
  readonly #onAnomaly: (anomaly: Anomaly) => void;
  readonly #timeless: ReadonlySet<string>;
  readonly #onDangling: ((path: ByteString) => void) | undefined;
  readonly #onDelivered: ((delivered: Delivered) => void) | undefined;
  readonly #digest = new ContentDigest();
  #state: State = 'header';
  /** Bytes of the block that is being collected, when a chunk ended inside it. */
  #partial: Buffer[] = [];
  #partialLength = 0;
  /** Bytes of content and padding still to come, and whether they are passed on. */
  #remaining = 0;
  #passing = false;
  readonly #extended = new ExtendedHeaders();
  #zeroBlocks = 0;
  #offset = 0;
  #current: { path: ByteString; hardLinked: boolean } | undefined;
  #last: ByteString | undefined;
  /** The entry whose content is coming. */
  #delivering: Omit<Delivered, 'digest'> | undefined;
  /** Delivered first names of inodes with several: what a hard link may point to. */
  readonly #linkTargets = new Set<string>();

  /**
   * @param timeless directories whose time is of no meaning and new at each look (the kernel's mount points): they go
   * out with no time, so that an unchanged source gives the same bytes twice.
   * @param onDelivered sees each entry that was passed on; contents are hashed for it.
   * @param onDangling sees each wanted hard link whose target did not come: to be fetched as a file.
   */
  constructor(
    wanted: WantedPaths,
    onAnomaly: (anomaly: Anomaly) => void = () => {},
    timeless: ReadonlySet<string> = new Set(),
    onDelivered?: (delivered: Delivered) => void,
    { onDangling }: { readonly onDangling?: (path: ByteString) => void } = {},
  ) {
    this.#onDangling = onDangling;
    this.#onDelivered = onDelivered;
    this.#timeless = timeless;
    this.#wanted = wanted;
    this.#onAnomaly = onAnomaly;
    this.#current = wanted.next();
  }

  /** @returns the bytes to pass on: slices of `chunk`, and headers that were held back. @throws P2cError `tar.*`. */
  push(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'content') at = this.#content(chunk, at, out);
      else if (this.#state === 'ended') at = chunk.length;
      else at = this.#collect(chunk, at, out);
    }
    this.#offset += chunk.length;
    for (const bytes of out) this.counts.bytes += bytes.length;
    return out;
  }

  /** @returns the end of the archive, always two zero blocks. @throws P2cError `tar.truncated`. */
  end(): Buffer {
    if (this.#state !== 'ended') {
      throw new P2cError(`the tar stream ended early, at byte ${this.#offset}, after ${this.counts.entries} entries`, {
        code: 'tar.truncated',
        hint: 'the tar on the source or the connection ended; the report has the last messages of tar',
      });
    }
    for (; this.#current !== undefined; this.#current = this.#wanted.next()) this.#missed(this.#current.path);
    this.counts.bytes += END_OF_ARCHIVE.length;
    return END_OF_ARCHIVE;
  }

  #content(chunk: Buffer, at: number, out: Buffer[]): number {
    const take = Math.min(this.#remaining, chunk.length - at);
    if (this.#passing) {
      const bytes = at === 0 && take === chunk.length ? chunk : chunk.subarray(at, at + take);
      out.push(bytes);
      this.#digested(bytes);
    }
    this.#remaining -= take;
    if (this.#remaining === 0) this.#state = 'header';
    return at + take;
  }

  /** Gathers a header block, or the blocks of an extended header, across chunks. */
  #collect(chunk: Buffer, at: number, out: Buffer[]): number {
    const wanted = this.#state === 'header' ? BLOCK : this.#remaining;
    const take = Math.min(wanted - this.#partialLength, chunk.length - at);
    const piece = chunk.subarray(at, at + take);
    this.#partialLength += take;
    if (this.#partialLength < wanted) {
      this.#partial.push(Buffer.from(piece));
      return at + take;
    }
    const block = this.#partial.length === 0 ? piece : Buffer.concat([...this.#partial, piece]);
    this.#partial = [];
    this.#partialLength = 0;
    const offset = this.#offset + at + take - wanted;
    try {
      if (this.#state === 'header') this.#header(block, offset, out);
      else this.#extendedContent(block);
    } catch (error) {
      if (error instanceof HeaderError) throw malformed(offset, this.#last, error.message);
      throw error;
    }
    return at + take;
  }

  #header(block: Buffer, offset: number, out: Buffer[]): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      if (this.#extended.pending) throw malformed(offset, this.#last, 'an extended header has no entry after it');
      return;
    }
    this.#zeroBlocks = 0;
    const header = parseHeader(block);
    if ('xLKg'.includes(header.type)) this.#beginExtended(header, block);
    else this.#entry(header, block, offset, out);
  }

  #beginExtended(header: Header, block: Buffer): void {
    this.#extended.begin(header, block);
    this.#remaining = padded(header.size);
    this.#state = 'extended';
  }

  #extendedContent(bytes: Buffer): void {
    this.#state = 'header';
    this.#remaining = 0;
    this.#extended.content(bytes);
  }

  #entry(header: Header, block: Buffer, offset: number, out: Buffer[]): void {
    const { overrides } = this.#extended;
    const path = cleanName(overrides.path ?? header.name);
    refuseType(header, overrides, path, offset);
    const size = overrides.size ?? header.size;
    const file = header.type === '0' || header.type === '7';
    // Links and directories may state a size; content follows only regular files (POSIX pax, typeflag).
    const content = file ? size : 0;
    const linkName = overrides.linkPath ?? header.linkName;
    this.#passing = this.#isWanted(path, header.type, linkName);
    if (this.#passing) {
      const fixes = this.#passHeaders(header, path, block, out);
      this.counts.entries += 1;
      this.counts.contentBytes += content;
      const hardLink = header.type === '1' ? cleanName(linkName) : undefined;
      this.#deliver({ path, hardLink, fixes }, file, content);
    }
    this.#extended.clear();
    this.#remaining = padded(content);
    this.#state = this.#remaining === 0 ? 'header' : 'content';
  }

  /** @returns what was changed in the headers. */
  #passHeaders(header: Header, path: ByteString, block: Buffer, out: Buffer[]): AnomalyKind[] {
    const fixes: AnomalyKind[] = [];
    const passed = this.#extended.release(block, this.#timeless.has(path), (kind) => {
      this.#tell(kind, path);
      if (ANOMALY_KINDS[kind] === 'fixed') fixes.push(kind);
    });
    out.push(...passed);
    const device = header.type === '3' || header.type === '4';
    if (device && !path.startsWith('/dev/')) this.#tell('device node', path);
    return fixes;
  }

  /** Tells of the entry, once its content came. */
  #deliver(delivered: Omit<Delivered, 'digest'>, file: boolean, content: number): void {
    if (this.#onDelivered === undefined) return;
    if (content === 0) this.#onDelivered({ ...delivered, digest: file ? EMPTY_DIGEST : undefined });
    else {
      this.#digest.begin(content);
      this.#delivering = delivered;
    }
  }

  #digested(bytes: Buffer): void {
    if (this.#delivering === undefined) return;
    const digest = this.#digest.push(bytes);
    if (digest === undefined) return;
    this.#onDelivered?.({ ...this.#delivering, digest });
    this.#delivering = undefined;
  }

  /** Moves the cursor to the entry's path; what it passes on the way did not come. */
  #isWanted(path: ByteString, type: string, linkName: ByteString): boolean {
    while (this.#current !== undefined && comparePaths(this.#current.path, path) < 0) {
      this.#missed(this.#current.path);
      this.#current = this.#wanted.next();
    }
    const current = this.#current;
    if (current === undefined || current.path !== path) {
      const second = this.#last === path;
      this.counts[second ? 'secondEntries' : 'notAskedFor'] += 1;
      this.#tell(second ? 'second entry' : 'not asked for', path);
      return false;
    }
    this.#current = this.#wanted.next();
    this.#last = path;
    if (path.includes(`/${WHITEOUT_PREFIX}`)) {
      this.#tell('whiteout name', path);
      return false;
    }
    if (type === '1' && !this.#linkTargets.has(cleanName(linkName))) {
      this.counts.danglingLinks += 1;
      this.#tell('hard link without its target', path);
      this.#onDangling?.(path);
      return false;
    }
    if (current.hardLinked && type !== '1') this.#linkTargets.add(path);
    return true;
  }

  #missed(path: ByteString): void {
    this.counts.notDelivered += 1;
    this.#tell('not delivered', path);
  }

  #tell(kind: AnomalyKind, path: ByteString): void {
    const { anomalies } = this.counts;
    anomalies[kind] = (anomalies[kind] ?? 0) + 1;
    this.#onAnomaly({ kind, path });
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
