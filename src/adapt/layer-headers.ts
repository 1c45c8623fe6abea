/**
 * The entries of one layer without their contents: from header to header by seeking, so that the files in between are
 * not read. The layer is a plain tar.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import type { ByteString } from '../printable.ts';
import { BLOCK, isZeroBlock, type Ownership, ownershipOf, parseHeader } from '../tar/header.ts';
import { overridesOf, type PaxRecord, parsePax } from '../tar/pax.ts';

export interface LayerEntry extends Ownership {
  /** As it is written, `./etc/fstab`. */
  readonly name: ByteString;
  /** POSIX type flag. */
  readonly type: string;
  readonly link: ByteString;
  readonly size: number;
  /** Where its content begins, in bytes from the layer's beginning. */
  readonly offset: number;
  /** Records of its extended attributes. */
  readonly attributes: readonly PaxRecord[];
}

const WINDOW = 8 * 1024;
/** An extended header holds a path and some attributes; what claims more is none that p2c wrote. */
const LONGEST_EXTENDED = 1024 * 1024;
/** Between two pauses for what else this process does. */
const BATCH = 1000;

export interface LayerFile {
  readonly path: string;
  /** Where the entries begin that are to be read, in bytes and in order; left out for all there are. */
  readonly only?: Iterable<number> | undefined;
}

/** @throws HeaderError for what is no tar. */
export async function* layerHeaders({ path, only }: LayerFile): AsyncGenerator<readonly LayerEntry[]> {
  const fd = openSync(path, 'r');
  try {
    const headers = new Headers(fd);
    let batch: LayerEntry[] = [];
    for (const entry of only === undefined ? headers.all() : headers.those(only)) {
      batch.push(entry);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
      await setImmediate();
    }
    yield batch;
  } finally {
    closeSync(fd);
  }
}

class Headers {
  readonly #fd: number;
  readonly #window = Buffer.alloc(WINDOW);
  #windowAt = 0;
  #windowLength = 0;
  #at = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  *all(): Generator<LayerEntry> {
    for (let entry = this.#next(); entry !== undefined; entry = this.#next()) yield entry;
  }

  *those(offsets: Iterable<number>): Generator<LayerEntry> {
    for (const offset of offsets) {
      this.#at = offset;
      const entry = this.#next();
      if (entry !== undefined) yield entry;
    }
  }

  /** Undefined at the end of the archive. */
  #next(): LayerEntry | undefined {
    let records: readonly PaxRecord[] = [];
    const long: { name?: ByteString; link?: ByteString } = {};
    for (;;) {
      const block = this.#bytes(this.#at, BLOCK);
      if (block.length < BLOCK || isZeroBlock(block)) return undefined;
      const header = parseHeader(block);
      const ownership = ownershipOf(block);
      this.#at += BLOCK;
      const extension = 'xgLK'.includes(header.type);
      const bytes = extension ? this.#bytes(this.#at, Math.min(header.size, LONGEST_EXTENDED)) : undefined;
      if (bytes === undefined) {
        const overrides = overridesOf(records);
        const size = '123456'.includes(header.type) ? 0 : (overrides.size ?? header.size);
        const offset = this.#at;
        this.#at += padded(size);
        return {
          ...ownership,
          ...besideHeader(records),
          name: overrides.path ?? long.name ?? header.name,
          link: overrides.linkPath ?? long.link ?? header.linkName,
          type: header.type,
          size,
          offset,
          attributes: records.filter(({ key }) => key.startsWith('SCHILY.')),
        };
      }
      this.#at += padded(header.size);
      if (header.type === 'x') records = parsePax(Buffer.from(bytes));
      if (header.type === 'L') long.name = untilNul(bytes);
      if (header.type === 'K') long.link = untilNul(bytes);
    }
  }

  /** Valid until the next call. */
  #bytes(at: number, length: number): Buffer {
    const start = at - this.#windowAt;
    if (start >= 0 && start + length <= this.#windowLength) return this.#window.subarray(start, start + length);
    if (length > WINDOW) return this.#read(Buffer.alloc(length), at);
    this.#windowLength = this.#read(this.#window, at).length;
    this.#windowAt = at;
    return this.#window.subarray(0, Math.min(length, this.#windowLength));
  }

  #read(buffer: Buffer, at: number): Buffer {
    let filled = 0;
    while (filled < buffer.length) {
      const read = readSync(this.#fd, buffer, filled, buffer.length - filled, at + filled);
      if (read === 0) break;
      filled += read;
    }
    return buffer.subarray(0, filled);
  }
}

const ID = /^\d{1,10}$/;
const TIME = /^-?\d{1,15}(?:\.\d*)?$/;

/** Owners and times that the header's own fields have no room for; of a time the whole seconds, as the field would have it. */
function besideHeader(records: readonly PaxRecord[]): Partial<Ownership> {
  const found: { uid?: number; gid?: number; mtime?: number } = {};
  for (const { key, value } of records) {
    const text = value.toString('latin1');
    if ((key === 'uid' || key === 'gid') && ID.test(text)) found[key] = Number(text);
    else if (key === 'mtime' && TIME.test(text)) found.mtime = Math.floor(Number(text));
  }
  return found;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

function untilNul(bytes: Buffer): ByteString {
  const end = bytes.indexOf(0);
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end) as ByteString;
}
