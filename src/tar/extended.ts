/** The headers before an entry's own (`x`, `L`, `K`): held until the entry is known, then passed on or left out with it. */
import type { ByteString } from '../printable.ts';
import type { AnomalyKind } from './anomaly.ts';
import { type Header, HeaderError, withFields, withoutTime } from './header.ts';
import { extendedHeader } from './made-entry.ts';
import { overridesOf, type PaxOverrides, type PaxRecord, parsePax } from './pax.ts';
import { encodeRecords, needsRewriting, rewriteRecords, stableBlock } from './pax-rewrite.ts';
import { withStableName } from './sparse.ts';

/** An extended header of one entry: path, link and attributes. Linux bounds attributes of a file to some 64 KiB each. */
const LONGEST_EXTENDED = 8 * 1024 * 1024;

const NONE: readonly PaxRecord[] = [];

interface Held {
  readonly header: Header;
  readonly block: Buffer;
  bytes: Buffer;
  records: readonly PaxRecord[];
}

export class ExtendedHeaders {
  #held: Held[] = [];
  #overrides: PaxOverrides = {};
  #current: Held | undefined;
  #length = 0;

  get overrides(): PaxOverrides {
    return this.#overrides;
  }

  get pending(): boolean {
    return this.#held.length > 0;
  }

  /**
   * One of each type, as tars write them: of a second `x` Go's reader forgets the first, and busybox's takes both.
   * @throws HeaderError for a header without content, one that is too long, or a second one of its type.
   */
  begin(header: Header, block: Buffer): void {
    if (header.size === 0 || this.#length + header.size > LONGEST_EXTENDED) {
      throw new HeaderError(`an extended header of ${header.size} bytes`);
    }
    this.#current = { header, block: Buffer.from(block), bytes: Buffer.alloc(0), records: [] };
    // A global header (`g`) speaks of no entry: it is left out, and so is what it says.
    if (header.type === 'g') return;
    this.#length += header.size;
    if (this.#held.some((held) => held.header.type === header.type)) {
      throw new HeaderError(`a second extended header of type '${header.type}' for one entry`);
    }
    this.#held.push(this.#current);
  }

  /** The content of the header that was begun, with its padding. @throws HeaderError */
  content(bytes: Buffer): void {
    const current = this.#current;
    if (current === undefined || current.header.type === 'g') return;
    current.bytes = Buffer.from(bytes);
    const content = current.bytes.subarray(0, current.header.size);
    if (current.header.type === 'x') {
      current.records = parsePax(content);
      this.#override(overridesOf(current.records));
      return;
    }
    const nul = content.indexOf(0);
    const text = content.toString('latin1', 0, nul < 0 ? content.length : nul) as ByteString;
    this.#override(current.header.type === 'L' ? { path: text } : { linkPath: text });
  }

  /** What is judged here must be what is unpacked elsewhere. @throws HeaderError for names that readers take differently. */
  #override(next: PaxOverrides): void {
    onlyOne(nameOf(this.#overrides), nameOf(next));
    onlyOne(this.#overrides.linkPath, next.linkPath);
    Object.assign(this.#overrides, next);
  }

  /**
   * The headers to pass on, and the entry's block after them: as they came where nothing in them has to change.
   * @param timeless the entry's time is of no meaning: it goes out as 1970.
   * @param beside records to be added: attributes that the tar does not know.
   */
  release(
    entryBlock: Buffer,
    { timeless, beside = NONE }: { readonly timeless: boolean; readonly beside?: readonly PaxRecord[] | undefined },
    tell: (kind: AnomalyKind) => void,
  ): Buffer[] {
    const told: AnomalyKind[] = [];
    const note = (kind: AnomalyKind): void => void (told.includes(kind) || told.push(kind));
    const timed = timeless ? withoutTime(entryBlock) : entryBlock;
    const block = this.#overrides.sparse === undefined ? timed : withStableName(timed);
    if (block !== timed) note('stored as a sparse file');
    const out: Buffer[] = [];
    // Added to the header that is there: Go's reader knows the last one of an entry only.
    const home = beside.length === 0 ? undefined : this.#held.findLast(({ header }) => header.type === 'x');
    for (const held of this.#held) passOn(held, out, block, timeless, held === home ? beside : NONE, note);
    if (home === undefined) out.push(...extendedHeader(beside));
    if (beside.length > 0) note('attributes read beside the stream');
    for (const kind of told) tell(kind);
    out.push(block);
    return out;
  }

  /** Forgets all: the entry came. */
  clear(): void {
    if (this.#held.length === 0) return;
    this.#held = [];
    this.#overrides = {};
    this.#current = undefined;
    this.#length = 0;
  }
}

function nameOf({ sparse, path }: PaxOverrides): ByteString | undefined {
  return sparse?.name ?? path;
}

/** Of `L` and `path` beside each other Go's reader takes the one, GNU tar the other; for an empty one, Go's the header's. */
function onlyOne(before: ByteString | undefined, name: ByteString | undefined): void {
  if (name === '') throw new HeaderError('an extended header with an empty name');
  if (before !== undefined && name !== undefined) throw new HeaderError('two names for one entry');
}

function passOn(
  { header, block, bytes, records }: Held,
  out: Buffer[],
  entryBlock: Buffer,
  timeless: boolean,
  beside: readonly PaxRecord[],
  tell: (kind: AnomalyKind) => void,
): void {
  if (header.type !== 'x') {
    out.push(block, bytes);
    return;
  }
  const stable = stableBlock(block, header, entryBlock, timeless);
  if (beside.length === 0 && !needsRewriting(records, timeless)) {
    if (stable !== block && !timeless) tell('header made stable');
    out.push(stable, bytes);
    return;
  }
  const kept = [...rewriteRecords(records, timeless, tell), ...beside];
  if (kept.length === 0) return;
  const encoded = encodeRecords(kept);
  const size = `${encoded.length.toString(8).padStart(11, '0')}\0`;
  out.push(
    withFields(stable, (copy) => copy.write(size, 124, 'latin1')),
    encoded.bytes,
  );
}
