/**
 * The compact form of entries on disk: each path as what it shares with the one before and what is new, numbers as
 * LEB128 varints. A sorted listing takes about 40 bytes a path.
 */
import { P2cError } from '../errors.ts';
import type { ByteString } from '../printable.ts';
import { type Entry, type Instant, isEntryType, UNKNOWN_NANOSECONDS } from './entry.ts';

/**
 * As many bytes follow the first: numbers to 2^64, as inodes of filesystems that are made of others are (overlayfs' xino,
 * mergerfs). Above 2^53 they have lost their last bits when they were read from text.
 */
const LONGEST_VARINT = 9;
const PATH_LIMIT = 256 * 1024;
/** What a kernel gives out (PATH_MAX). */
const USUAL_PATH = 4096;

/** Unknown nanoseconds, as a varint can hold them: one more than there can be. */
const STORED_UNKNOWN = 1_000_000_000;

/** Appends encoded entries to a buffer that grows; `take` empties it. */
export class EntryEncoder {
  #buffer = Buffer.allocUnsafe(256 * 1024);
  #used = 0;
  #previous = '';

  get length(): number {
    return this.#used;
  }

  /** @param blocks in the place of the entry's own. */
  add(entry: Entry, blocks: number = entry.blocks): void {
    const shared = sharedPrefix(this.#previous, entry.path);
    this.#previous = entry.path;
    this.#reserve(entry.path.length - shared + entry.target.length + 160);
    this.#number(shared);
    this.#text(entry.path.slice(shared));
    this.#buffer[this.#used++] = entry.type.charCodeAt(0);
    this.#number(entry.mode);
    this.#number(entry.uid);
    this.#number(entry.gid);
    this.#number(entry.size);
    this.#number(blocks);
    this.#instant(entry.mtime);
    this.#instant(entry.ctime);
    this.#number(entry.device);
    this.#number(entry.inode);
    this.#number(entry.links);
    this.#text(entry.target);
  }

  /** The bytes so far, to be written before the next `add`. */
  take(): Buffer {
    const bytes = Buffer.from(this.#buffer.subarray(0, this.#used));
    this.#used = 0;
    return bytes;
  }

  #reserve(more: number): void {
    if (this.#used + more <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, this.#used + more));
    this.#buffer.copy(larger, 0, 0, this.#used);
    this.#buffer = larger;
  }

  #number(value: number): void {
    const buffer = this.#buffer;
    let rest = value;
    // Shifts are for 32 bits, and much faster.
    while (rest > 0x7fffffff) {
      buffer[this.#used++] = (rest % 0x80) + 0x80;
      rest = Math.floor(rest / 0x80);
    }
    while (rest >= 0x80) {
      buffer[this.#used++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    buffer[this.#used++] = rest;
  }

  /** Zigzag: small negatives stay small. */
  #signed(value: number): void {
    this.#number(value < 0 ? -value * 2 - 1 : value * 2);
  }

  #instant({ seconds, nanoseconds }: Instant): void {
    this.#signed(seconds);
    this.#number(nanoseconds === UNKNOWN_NANOSECONDS ? STORED_UNKNOWN : nanoseconds);
  }

  #text(text: string): void {
    this.#number(text.length);
    if (text.length === 0) return;
    this.#used += this.#buffer.write(text, this.#used, 'latin1');
  }
}

/** Reads what {@link EntryEncoder} wrote, in chunks cut anywhere. */
export class EntryDecoder {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #pathBytes = Buffer.allocUnsafe(USUAL_PATH);
  #pathLength = 0;

  /** @returns the entries that this chunk completes; it may be used again then. @throws P2cError `listing.damaged`. */
  push(chunk: Buffer): Entry[] {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    this.#at = 0;
    const entries: Entry[] = [];
    let start = 0;
    for (;;) {
      const entry = this.#entry();
      if (entry === undefined) break;
      entries.push(entry);
      start = this.#at;
    }
    // A copy: the chunk is its owner's to use again.
    this.#bytes = Buffer.from(this.#bytes.subarray(start));
    if (this.#bytes.length > 4 * PATH_LIMIT) throw damaged();
    return entries;
  }

  end(): void {
    if (this.#bytes.length > 0) throw damaged();
  }

  #entry(): Entry | undefined {
    const shared = this.#number();
    const length = this.#length();
    const suffix = this.#at;
    this.#at += length;
    const type = String.fromCharCode(this.#byte());
    const mode = this.#number();
    const uid = this.#number();
    const gid = this.#number();
    const size = this.#number();
    const blocks = this.#number();
    const mtime = instant(this.#number(), this.#number());
    const ctime = instant(this.#number(), this.#number());
    const device = this.#number();
    const inode = this.#number();
    const links = this.#number();
    const target = this.#text();
    if (this.#at > this.#bytes.length) return undefined;
    if (shared > this.#pathLength || shared + length > PATH_LIMIT || !isEntryType(type)) throw damaged();
    const path = this.#path(shared, suffix, length);
    return { path, type, mode, uid, gid, size, blocks, mtime, ctime, device, inode, links, target };
  }

  /** The path before lies in a buffer: what is new is copied over its end, and one flat string is made of it. */
  #path(shared: number, suffix: number, length: number): ByteString {
    this.#pathLength = shared + length;
    if (this.#pathLength > this.#pathBytes.length) {
      this.#pathBytes = Buffer.concat([this.#pathBytes, Buffer.allocUnsafe(PATH_LIMIT - this.#pathBytes.length)]);
    }
    this.#bytes.copy(this.#pathBytes, shared, suffix, suffix + length);
    return this.#pathBytes.toString('latin1', 0, this.#pathLength) as ByteString;
  }

  /** Past the end, reads give 0 and move on: the entry is then found to be incomplete, and read again with more. */
  #byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  #number(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i <= LONGEST_VARINT; i += 1) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 0x80;
    }
    throw damaged();
  }

  #length(): number {
    const length = this.#number();
    if (length > PATH_LIMIT) throw damaged();
    return length;
  }

  #text(): ByteString {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#bytes.toString('latin1', start, Math.min(this.#at, this.#bytes.length)) as ByteString;
  }
}

function instant(seconds: number, stored: number): Instant {
  return { seconds: unzigzag(seconds), nanoseconds: stored === STORED_UNKNOWN ? UNKNOWN_NANOSECONDS : stored };
}

function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
}

function sharedPrefix(a: string, b: string): number {
  const limit = Math.min(a.length, b.length);
  let i = 0;
  while (i < limit && a.charCodeAt(i) === b.charCodeAt(i)) i += 1;
  return i;
}

function damaged(): P2cError {
  return new P2cError('a stored listing is damaged', { code: 'listing.damaged', hint: 'remove it and run p2c again' });
}
