/** The headers before an entry's own: pax records and GNU's long names, as they came and as they may go on. */
import { type ByteString, byteString } from '../printable.ts';
import { HeaderError } from '../tar/header.ts';
import { overridesOf, type PaxRecord } from '../tar/pax.ts';
import { extendedHeader } from './layer-entries.ts';

/** More is no archiver's work. */
const MOST_HEADERS = 8;

/**
 * Extended attributes by which overlayfs steers itself. From a layer they could redirect a directory or a file's content
 * to another place of the lower layers; only p2c writes them.
 */
const OVERLAY = /^(?:SCHILY|LIBARCHIVE)\.xattr\.(?:trusted|user)\.overlay\./;

export class ExtendedHeaders {
  path: ByteString | undefined;
  linkPath: ByteString | undefined;
  size: number | undefined;
  /** `L` and `K` entries, header and content. */
  readonly longNames: Buffer[] = [];
  /** What may go on. */
  readonly records: PaxRecord[] = [];
  readonly #raw: Buffer[] = [];
  #count = 0;
  #changed = false;

  /** @throws HeaderError for two names of one entry, or a sparse file of a format that not all readers know. */
  addRecords(records: readonly PaxRecord[], raw: readonly Buffer[]): void {
    this.#counted();
    const { path, linkPath, size, sparse } = overridesOf(records);
    if (sparse?.known === false) throw new HeaderError("a sparse file in another format than GNU's 1.0");
    // The name that readers take: what is checked must be what is unpacked.
    if (sparse?.name !== undefined) this.path = onlyOne(this.path, sparse.name);
    if (path !== undefined) this.path = onlyOne(this.path, path);
    if (linkPath !== undefined) this.linkPath = onlyOne(this.linkPath, linkPath);
    if (size !== undefined) this.size = size;
    const kept = records.filter(({ key }) => !OVERLAY.test(key));
    // Records of several headers would have to be merged in order; no writer makes several.
    if (this.records.length > 0) this.#changed = true;
    if (kept.length < records.length) this.#changed = true;
    for (const { key, value } of kept) this.records.push({ key, value: Buffer.from(value) });
    this.#raw.push(...raw);
  }

  /** @throws HeaderError for two names of one entry. */
  addLongName(which: 'path' | 'linkpath', size: number, block: Buffer, bytes: Buffer): void {
    this.#counted();
    const content = bytes.subarray(0, size);
    const nul = content.indexOf(0);
    const text = byteString(nul < 0 ? content : content.subarray(0, nul));
    if (which === 'path') this.path = onlyOne(this.path, text);
    else this.linkPath = onlyOne(this.linkPath, text);
    this.longNames.push(block, Buffer.from(bytes));
    this.#raw.push(block, Buffer.from(bytes));
  }

  /** As they came, or without what may not go on. */
  bytes(): Buffer[] {
    if (!this.#changed) return this.#raw;
    return this.records.length === 0 ? this.longNames : [...this.longNames, ...extendedHeader(this.records)];
  }

  #counted(): void {
    this.#count += 1;
    if (this.#count > MOST_HEADERS) throw new HeaderError(`more than ${MOST_HEADERS} extended headers in a row`);
  }
}

/** Readers differ in which of two names they take, and what is checked must be what is unpacked. */
function onlyOne(before: ByteString | undefined, name: ByteString): ByteString {
  if (before !== undefined && before !== name) throw new HeaderError('two names for one entry');
  return name;
}
