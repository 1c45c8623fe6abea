/** The 512-byte header of a tar entry: POSIX ustar (IEEE Std 1003.1, pax, "ustar Interchange Format") and GNU's uses of it. */
import type { ByteString } from '../printable.ts';

export const BLOCK = 512;

export interface Header {
  /** `prefix/name` as in the block; an extended header may replace it. */
  readonly name: ByteString;
  /** The type flag; NUL of pre-POSIX archives is given as `0`. */
  readonly type: string;
  readonly size: number;
  readonly linkName: ByteString;
}

/** What is wrong with a block; the caller knows where it lies. */
export class HeaderError extends Error {
  override readonly name = 'HeaderError';
}

/** True for a block of zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  return block[0] === 0 && block.equals(ZEROS);
}

const ZEROS = Buffer.alloc(BLOCK);
const ZERO = 0x30;

/**
 * Reads the fields a filter needs.
 * @throws HeaderError where the checksum is wrong or the size is no number.
 */
export function parseHeader(block: Buffer): Header {
  const expected = parseNumber(block, 148, 8);
  const sum = checksum(block);
  if (expected !== sum && expected !== signedChecksum(block, sum)) {
    throw new HeaderError(`its checksum is ${expected} and should be ${sum}`);
  }
  const size = parseNumber(block, 124, 12);
  if (size < 0) throw new HeaderError(`its size is ${size}`);
  const type = block[156] === 0 ? '0' : String.fromCharCode(block[156] ?? 0);
  return { name: entryName(block), type, size, linkName: text(block, 157, 100) };
}

/** Whose an entry is, and when it was changed last. */
export interface Ownership {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Whole seconds since 1970. */
  readonly mtime: number;
}

/** @throws HeaderError where a field is no number. */
export function ownershipOf(block: Buffer): Ownership {
  return {
    mode: parseNumber(block, 100, 8) & 0o7777,
    uid: parseNumber(block, 108, 8),
    gid: parseNumber(block, 116, 8),
    mtime: parseNumber(block, 136, 12),
  };
}

/** `ustar\0` has a prefix field; GNU's `ustar  ` uses those bytes for other things. */
function entryName(block: Buffer): ByteString {
  const name = text(block, 0, 100);
  // Most have none, and are spared the look at what they are.
  if (block[345] === 0 || block.toString('latin1', 257, 263) !== 'ustar\0') return name;
  const prefix = text(block, 345, 155);
  return prefix === '' ? name : (`${prefix}/${name}` as ByteString);
}

/** Bytes up to the first NUL, or the whole field. */
function text(block: Buffer, start: number, length: number): ByteString {
  let end = start;
  while (end < start + length && block[end] !== 0) end += 1;
  // Without a slice: there are several fields to a header, and a header to each of a million files.
  return block.toString('latin1', start, end) as ByteString;
}

/**
 * Octal digits, or GNU's base-256 where the first bit is set.
 * @throws HeaderError where the field is neither, or more than 2^53 - 1.
 */
function parseNumber(block: Buffer, start: number, length: number): number {
  const first = block[start] ?? 0;
  if ((first & 0x80) !== 0) return parseBase256(block, start, length);
  let value = 0;
  let at = start;
  for (; at < start + length; at += 1) {
    const digit = (block[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  // As every tar of today writes it.
  if (at > start && block[at] === 0) return value;
  const digits = text(block, start, length).trim();
  if (digits === '') return 0;
  if (!/^[0-7]+$/.test(digits)) throw new HeaderError(`a number in it is no octal number`);
  return Number.parseInt(digits, 8);
}

function parseBase256(block: Buffer, start: number, length: number): number {
  const negative = ((block[start] ?? 0) & 0x40) !== 0;
  let value = negative ? -1n : 0n;
  for (let i = 0; i < length; i += 1) {
    const byte = BigInt(block[start + i] ?? 0);
    value = value * 256n + (i === 0 && !negative ? byte & 0x7fn : byte);
  }
  // Two's complement: sign extension above came with the first byte's ones.
  const number = Number(BigInt.asIntN(length * 8 - 1, value));
  if (!Number.isSafeInteger(number)) throw new HeaderError('a number in it is above 2^53');
  return number;
}

/** A copy of the block that says 1970 for its time. */
export function withoutTime(block: Buffer): Buffer {
  return withFields(block, (copy) => copy.write('00000000000\0', 136, 'latin1'));
}

/** A copy of the block, changed, with a checksum that is right again. */
export function withFields(block: Buffer, change: (copy: Buffer) => void): Buffer {
  const copy = Buffer.from(block);
  change(copy);
  copy.write(`${checksum(copy).toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

const SCRATCH = Buffer.alloc(BLOCK);
const WORDS = new Int32Array(SCRATCH.buffer, SCRATCH.byteOffset, BLOCK / 4);

/**
 * Sum of the bytes with the checksum field taken as spaces. Four at a time, two in each half of a number: of 128 words, no
 * half comes to more than 128 * 510, which is less than 2^16.
 */
export function checksum(block: Buffer): number {
  block.copy(SCRATCH);
  SCRATCH.fill(0x20, 148, 156);
  let halves = 0;
  for (let i = 0; i < WORDS.length; i += 1) {
    const word = WORDS[i] ?? 0;
    halves = (halves + (word & 0xff00ff) + ((word >>> 8) & 0xff00ff)) | 0;
  }
  return (halves & 0xffff) + (halves >>> 16);
}

/** As old tars summed: bytes with a sign. */
function signedChecksum(block: Buffer, unsigned: number): number {
  let high = 0;
  for (let i = 0; i < BLOCK; i += 1) if ((i < 148 || i >= 156) && (block[i] ?? 0) > 127) high += 1;
  return unsigned - high * 256;
}
