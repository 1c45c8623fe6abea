/**
 * Reads a record of `find -printf` straight from the bytes. The form is the same as in `record.ts`, which is asked about
 * everything that is not of it; here no string is made of a number, so that a listing of millions leaves little behind for
 * the garbage collector.
 */
import type { ByteString } from '../printable.ts';
import { type Entry, type Instant, isEntryType, UNKNOWN_NANOSECONDS } from './entry.ts';

const SPACE = 0x20;
const MINUS = 0x2d;
const DOT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;

/**
 * @param start where the record begins; its path ends at `pathEnd` and its link target at `targetEnd`, both at a NUL.
 * @returns undefined for a record of another form: one of stat's, or a malformed one.
 */
export function readFindRecord(bytes: Buffer, start: number, pathEnd: number, targetEnd: number): Entry | undefined {
  return new FindRecord(bytes, start, pathEnd).entry(targetEnd);
}

const NOTHING = '' as ByteString;

function textOf(bytes: Buffer, start: number, end: number): ByteString {
  return bytes.toString('latin1', start, end) as ByteString;
}

class FindRecord {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  #good = true;

  constructor(bytes: Buffer, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  entry(targetEnd: number): Entry | undefined {
    const type = String.fromCharCode(this.#bytes[this.#at] ?? 0);
    if (!isEntryType(type) || this.#bytes[this.#at + 1] !== SPACE) return undefined;
    this.#at += 2;
    const mode = this.#number(8) & 0o7777;
    const uid = this.#number(10);
    const gid = this.#number(10);
    const size = this.#number(10);
    const blocks = this.#number(10);
    const mtime = this.#instant();
    const ctime = this.#instant();
    const device = this.#number(10);
    const inode = this.#number(10);
    const links = this.#number(10);
    if (!this.#good || this.#bytes[this.#at] !== SLASH) return undefined;
    const path = textOf(this.#bytes, this.#at, this.#end);
    // What `find //` prints has to be cleaned first.
    if (path.includes('//') || (path.length > 1 && this.#bytes[this.#end - 1] === SLASH)) return undefined;
    // Most entries are no links, and to decode no bytes is a call all the same.
    const target = targetEnd === this.#end + 1 ? NOTHING : textOf(this.#bytes, this.#end + 1, targetEnd);
    return { path, type, mode, uid, gid, size, blocks, mtime, ctime, device, inode, links, target };
  }

  /** Digits and the space after them. No number of a filesystem has more than twenty. */
  #number(base: 8 | 10): number {
    const start = this.#at;
    const value = this.#digits(base);
    if (this.#at === start || this.#at - start > 20 || this.#bytes[this.#at] !== SPACE) this.#good = false;
    this.#at += 1;
    return value;
  }

  #digits(base: 8 | 10): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = 0;
    for (; at < this.#end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit >= base) break;
      value = value * base + digit;
    }
    this.#at = at;
    return value;
  }

  /** `SECONDS.FRACTION`, the fraction of any length or absent; before 1970 it still counts forward. */
  #instant(): Instant {
    const negative = this.#bytes[this.#at] === MINUS;
    if (negative) this.#at += 1;
    const start = this.#at;
    const whole = this.#digits(10);
    if (this.#at === start || this.#at - start > 15) this.#good = false;
    const nanoseconds = this.#bytes[this.#at] === DOT ? this.#fraction() : UNKNOWN_NANOSECONDS;
    if (this.#bytes[this.#at] !== SPACE) this.#good = false;
    this.#at += 1;
    return { seconds: negative ? -whole : whole, nanoseconds };
  }

  /** Nanoseconds: of digits beyond the ninth nothing is kept, and those that lack are zeros. */
  #fraction(): number {
    const bytes = this.#bytes;
    const start = this.#at + 1;
    let at = start;
    let nanoseconds = 0;
    for (; at < this.#end; at += 1) {
      const digit = (bytes[at] ?? 0) - ZERO;
      if (digit < 0 || digit > 9) break;
      if (at - start < 9) nanoseconds = nanoseconds * 10 + digit;
    }
    for (let count = at - start; count < 9; count += 1) nanoseconds *= 10;
    if (at === start) this.#good = false;
    this.#at = at;
    return nanoseconds;
  }
}
