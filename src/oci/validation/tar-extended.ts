/** The headers before an entry's own, as the oracle reads them: pax records (`x`, `g`), GNU tar's long names (`L`, `K`). */
import { type ByteString, byteString } from '../../printable.ts';
import { text } from './tar-fields.ts';

/** All extended headers of one entry. More is an attack; real ones hold some kilobytes of attributes. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Of one entry: tars write three at most. */
const MOST_HEADERS = 8;
/** Of one header: the names of a file's attributes have 64 KiB in all (listxattr(2)). */
const MOST_RECORDS = 65_536;

/** Hears what is wrong with the header at hand. */
export type HeaderComplaint = (code: string, message: string) => void;

interface Records {
  readonly path?: ByteString;
  readonly linkpath?: ByteString;
  readonly size?: number;
  readonly keys: readonly string[];
  /** All others by key. */
  readonly others: ReadonlyMap<string, ByteString>;
}

/** Of one entry. */
export class ExtendedReading {
  #records: Records = { keys: [], others: new Map() };
  #longName: ByteString | undefined;
  #longLink: ByteString | undefined;
  /** The types of those that came. */
  #types = '';
  #bytes = 0;

  get name(): ByteString | undefined {
    // GNU tar's sparse files in pax headers: the entry's own name is a stand-in.
    return this.#records.others.get('GNU.sparse.name') ?? this.#records.path ?? this.#longName;
  }

  get link(): ByteString | undefined {
    return this.#records.linkpath ?? this.#longLink;
  }

  get size(): number | undefined {
    return this.#records.size;
  }

  get keys(): readonly string[] {
    return this.#records.keys;
  }

  get others(): ReadonlyMap<string, ByteString> {
    return this.#records.others;
  }

  /** @returns why neither this header nor what follows can be examined; undefined where its content may come. */
  begin(type: string, size: number, complain: HeaderComplaint): string | undefined {
    if (size > MOST_BYTES) return `an extended header claims ${size} bytes`;
    if (type === 'g') {
      // Go's reader gives it out as an entry of its own, and forgets what came before it.
      if (this.#types !== '') complain('tar.global', 'a global header stands between an entry and its extended header');
      return undefined;
    }
    this.#bytes += size;
    if (this.#bytes > MOST_BYTES) return `the extended headers of one entry claim ${this.#bytes} bytes`;
    if (this.#types.length === MOST_HEADERS) return `an entry has more than ${MOST_HEADERS} extended headers`;
    // Of two, some readers take the last one alone, and others both.
    if (this.#types.includes(type)) complain('tar.pax', `an entry has a second extended header of type '${type}'`);
    this.#types += type;
    return undefined;
  }

  /** The content of the header that was begun. */
  add(type: string, bytes: Buffer, complain: HeaderComplaint): void {
    if (type === 'L') this.#longName = text(bytes, 0, bytes.length);
    else if (type === 'K') this.#longLink = text(bytes, 0, bytes.length);
    else if (type === 'x') this.#records = recordsOf(bytes, complain);
    else checkGlobal(bytes, complain);
    if (type === 'g') return;
    const { path, linkpath } = this.#records;
    // Go's reader takes GNU's name, and GNU tar the record.
    const twice = 'both in a record and in a header of GNU tar';
    if (path !== undefined && this.#longName !== undefined) complain('tar.pax', `an entry has its name ${twice}`);
    if (linkpath !== undefined && this.#longLink !== undefined) complain('tar.pax', `an entry has its target ${twice}`);
  }
}

function recordsOf(bytes: Buffer, complain: HeaderComplaint): Records {
  const taken: { path?: ByteString; linkpath?: ByteString; size?: number } = {};
  const keys: string[] = [];
  const others = new Map<string, ByteString>();
  eachRecord(bytes, complain, (key, value) => {
    keys.push(key);
    if (isDecisive(key) && value.includes(0)) complain('tar.pax', `'${key}' holds a NUL`);
    if (key === 'path' || key === 'linkpath') taken[key] = byteString(value);
    else if (key !== 'size') others.set(key, byteString(value));
    else if (/^\d{1,15}$/.test(value.toString('latin1'))) taken.size = Number(value.toString('latin1'));
    else complain('tar.pax', "'size' is no number");
  });
  return { ...taken, keys, others };
}

function checkGlobal(bytes: Buffer, complain: HeaderComplaint): void {
  eachRecord(bytes, complain, (key) => {
    if (isDecisive(key)) complain('tar.global', `a global header sets '${key}' for all entries`);
  });
}

/** Of what these say, another entry is made. */
function isDecisive(key: string): boolean {
  return key === 'path' || key === 'linkpath' || key === 'size';
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits (POSIX pax). */
function eachRecord(bytes: Buffer, complain: HeaderComplaint, take: (key: string, value: Buffer) => void): void {
  let at = 0;
  for (let count = 0; at < bytes.length; count += 1) {
    if (count === MOST_RECORDS) {
      complain('tar.pax', `the extended header has more than ${MOST_RECORDS} records; the rest was not examined`);
      return;
    }
    const space = bytes.indexOf(0x20, at);
    const digits = bytes.toString('latin1', at, space < 0 ? at : space);
    const end = at + Number(digits);
    const equals = bytes.indexOf(0x3d, space);
    const sound = /^[1-9]\d{0,9}$/.test(digits) && end <= bytes.length && equals > space && equals < end;
    if (!sound || bytes[end - 1] !== 0x0a) {
      complain('tar.pax', `the extended header is malformed at its byte ${at}`);
      return;
    }
    take(bytes.toString('latin1', space + 1, equals), bytes.subarray(equals + 1, end - 1));
    at = end;
  }
}
