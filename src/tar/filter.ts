/**
 * The raw filter of the hot path. It follows a tar stream from header to header, passes the bytes of wanted entries on
 * untouched (binary extended attributes, large ids and nanoseconds survive because nothing is written anew), and leaves
 * out what was not asked for and any second entry of a path.
 */
import { P2cError } from '../errors.ts';
import type { EntryType } from '../listing/entry.ts';
import type { ByteString } from '../printable.ts';
import { ANOMALY_KINDS, type Anomaly, type AnomalyCounts, type AnomalyKind } from './anomaly.ts';
import { BlockGatherer } from './block-gatherer.ts';
import { ContentDigest, EMPTY_DIGEST } from './content-digest.ts';
import { Expected, type WantedPaths } from './expected.ts';
import { ExtendedHeaders } from './extended.ts';
import { BLOCK, type Header, HeaderError, isZeroBlock, parseHeader } from './header.ts';
import { cleanName } from './name.ts';
import type { PaxRecord } from './pax.ts';
import { malformed, refuseType } from './refusal.ts';

/** An entry that was passed on, with all of its content. */
export interface Delivered {
  readonly path: ByteString;
  /** As `find` names it; undefined for a further name of a file. */
  readonly type: EntryType | undefined;
  /** `sha256:…` of a regular file's content; undefined for everything else. */
  readonly digest: string | undefined;
  /** The name that a further name of a file is linked to. */
  readonly hardLink: ByteString | undefined;
  /** What was changed in its headers. */
  readonly fixes: readonly AnomalyKind[];
  /** Where the first of its headers lies in what was handed on, in bytes. */
  readonly offset: number;
}

export interface FilterCounts {
  entries: number;
  /** Content bytes of regular files. */
  contentBytes: number;
  /** Bytes handed on. */
  bytes: number;
  /** What was left out, fixed or lost, by kind. */
  anomalies: AnomalyCounts;
}

export interface FilterOptions {
  readonly onAnomaly?: (anomaly: Anomaly) => void;
  /**
   * Directories whose time is of no meaning and new at each look (the kernel's mount points): they go out with no time,
   * so that an unchanged source gives the same bytes twice.
   */
  readonly timeless?: ReadonlySet<string>;
  /** Sees each entry that was passed on; contents are hashed for it. */
  readonly onDelivered?: (delivered: Delivered) => void;
  /** Sees each wanted path that came in a form that no importer takes: to be fetched again. */
  readonly onAgain?: (path: ByteString) => void;
  /** True where the tar was asked for sparse files in pax headers. */
  readonly sparse?: boolean;
  /** Extended attributes that were read beside the stream, for a tar that does not know them. */
  readonly attributesOf?: (path: ByteString) => readonly PaxRecord[] | undefined;
}

const TYPES: Readonly<Record<string, EntryType>> = { 0: 'f', 7: 'f', 2: 'l', 3: 'c', 4: 'b', 5: 'd', 6: 'p' };

const END_OF_ARCHIVE = Buffer.alloc(2 * BLOCK);

type State = 'header' | 'extended' | 'content' | 'ended';

/** Feed chunks to `push` and write what it gives; `end` gives the last bytes, or throws where the stream was cut. */
export class TarFilter {
  readonly counts: FilterCounts = { entries: 0, contentBytes: 0, bytes: 0, anomalies: {} };
  readonly #options: FilterOptions;
  readonly #expected: Expected;
  readonly #digest = new ContentDigest();
  #state: State = 'header';
  readonly #gatherer = new BlockGatherer();
  /** Bytes of content and padding still to come, and whether they are passed on. */
  #remaining = 0;
  #passing = false;
  readonly #extended = new ExtendedHeaders();
  #zeroBlocks = 0;
  #offset = 0;
  /** What the present chunk gives. */
  #out: Buffer[] = [];
  /** The entry whose content is coming. */
  #delivering: Omit<Delivered, 'digest'> | undefined;

  constructor(wanted: WantedPaths, options: FilterOptions = {}) {
    this.#options = options;
    this.#expected = new Expected(wanted, {
      tell: (kind, path) => this.#tell(kind, path),
      again: (path) => options.onAgain?.(path),
      made: (path, blocks) => {
        const offset = this.counts.bytes;
        this.#hand(blocks);
        this.counts.entries += 1;
        const made = { path, type: 'f' as const, digest: EMPTY_DIGEST, hardLink: undefined, offset };
        options.onDelivered?.({ ...made, fixes: ['recreated empty'] });
      },
    });
  }

  /** @returns the bytes to pass on: slices of `chunk`, and headers that were held back. @throws P2cError `tar.*`. */
  push(chunk: Buffer): Buffer[] {
    let at = 0;
    while (at < chunk.length) {
      if (this.#state === 'content') at = this.#content(chunk, at);
      else if (this.#state === 'ended') at = chunk.length;
      else at = this.#collect(chunk, at);
    }
    this.#offset += chunk.length;
    return this.#taken();
  }

  #taken(): Buffer[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #hand(bytes: Buffer): void {
    this.#out.push(bytes);
    this.counts.bytes += bytes.length;
  }

  /** @returns what is still to be passed on, and the end of the archive: two zero blocks. @throws P2cError `tar.truncated`. */
  end(): Buffer[] {
    if (this.#state !== 'ended') {
      throw new P2cError(`the tar stream ended early, at byte ${this.#offset}, after ${this.counts.entries} entries`, {
        code: 'tar.truncated',
        hint: 'the tar on the source or the connection ended; the report has the last messages of tar',
      });
    }
    this.#expected.end();
    this.#hand(END_OF_ARCHIVE);
    return this.#taken();
  }

  #content(chunk: Buffer, at: number): number {
    const take = Math.min(this.#remaining, chunk.length - at);
    if (this.#passing) {
      const bytes = at === 0 && take === chunk.length ? chunk : chunk.subarray(at, at + take);
      this.#hand(bytes);
      this.#digested(bytes);
    }
    this.#remaining -= take;
    if (this.#remaining === 0) this.#state = 'header';
    return at + take;
  }

  /** A header block, or the blocks of an extended header. */
  #collect(chunk: Buffer, at: number): number {
    const wanted = this.#state === 'header' ? BLOCK : this.#remaining;
    const { end, block } = this.#gatherer.gather(chunk, at, wanted);
    if (block === undefined) return end;
    const offset = this.#offset + end - wanted;
    try {
      if (this.#state === 'header') this.#header(block, offset);
      else this.#extendedContent(block);
    } catch (error) {
      if (error instanceof HeaderError) throw malformed(offset, this.#expected.last, error.message);
      throw error;
    }
    return end;
  }

  #header(block: Buffer, offset: number): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      if (this.#extended.pending)
        throw malformed(offset, this.#expected.last, 'an extended header has no entry after it');
      return;
    }
    this.#zeroBlocks = 0;
    const header = parseHeader(block);
    if ('xLKg'.includes(header.type)) this.#beginExtended(header, block);
    else this.#entry(header, block, offset);
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

  #entry(header: Header, block: Buffer, offset: number): void {
    const { overrides } = this.#extended;
    const path = cleanName(overrides.sparse?.name ?? overrides.path ?? header.name);
    refuseType(header, overrides, path, offset, this.#options.sparse === true);
    const size = overrides.size ?? header.size;
    const file = header.type === '0' || header.type === '7';
    const content = file ? size : 0;
    const linkName = overrides.linkPath ?? header.linkName;
    this.#passing = this.#expected.admits(path, header.type, linkName);
    if (this.#passing) {
      const offset = this.counts.bytes;
      const fixes = this.#passHeaders(header, path, block);
      this.counts.entries += 1;
      this.counts.contentBytes += content;
      const hardLink = header.type === '1' ? cleanName(linkName) : undefined;
      this.#deliver({ path, type: TYPES[header.type], hardLink, fixes, offset }, file, content);
    }
    this.#extended.clear();
    this.#remaining = padded(content);
    this.#state = this.#remaining === 0 ? 'header' : 'content';
  }

  /** @returns what was changed in the headers. */
  #passHeaders(header: Header, path: ByteString, block: Buffer): AnomalyKind[] {
    const fixes: AnomalyKind[] = [];
    const timeless = this.#options.timeless?.has(path) === true;
    // A further name of a file has the attributes of the first.
    const beside = header.type === '1' ? undefined : this.#options.attributesOf?.(path);
    const passed = this.#extended.release(block, { timeless, beside }, (kind) => {
      this.#tell(kind, path);
      if (ANOMALY_KINDS[kind] === 'fixed') fixes.push(kind);
    });
    for (const bytes of passed) this.#hand(bytes);
    // GNU tar keeps the names of regular files and links together, and of nothing else.
    if (this.#expected.hardLinked && '346'.includes(header.type)) {
      this.#tell('separated from its other names', path);
      fixes.push('separated from its other names');
    }
    const device = header.type === '3' || header.type === '4';
    if (device && !path.startsWith('/dev/')) this.#tell('device node', path);
    return fixes;
  }

  /** Tells of the entry, once its content came. */
  #deliver(delivered: Omit<Delivered, 'digest'>, file: boolean, content: number): void {
    if (this.#options.onDelivered === undefined) return;
    if (content === 0) this.#options.onDelivered(withDigest(delivered, file ? EMPTY_DIGEST : undefined));
    else {
      this.#digest.begin(content);
      this.#delivering = delivered;
    }
  }

  #digested(bytes: Buffer): void {
    if (this.#delivering === undefined) return;
    const digest = this.#digest.push(bytes);
    if (digest === undefined) return;
    this.#options.onDelivered?.(withDigest(this.#delivering, digest));
    this.#delivering = undefined;
  }

  #tell(kind: AnomalyKind, path: ByteString): void {
    const { anomalies } = this.counts;
    anomalies[kind] = (anomalies[kind] ?? 0) + 1;
    this.#options.onAnomaly?.({ kind, path });
  }
}

/** Field by field: a spread is slow, and this is done for every file. */
function withDigest(entry: Omit<Delivered, 'digest'>, digest: string | undefined): Delivered {
  const { path, type, hardLink, fixes, offset } = entry;
  return { path, type, digest, hardLink, fixes, offset };
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
