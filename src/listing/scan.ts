/**
 * Reads what `find -printf` says of a filesystem. One record is `FIELDS PATH NUL TARGET NUL`: the fields are numbers
 * and never hold a NUL, names may hold every other byte, so nothing in a name can forge a record.
 */
import { P2cError } from '../errors.ts';
import { type ByteString, byteString, printable } from '../printable.ts';
import { quote, quotePath } from '../ssh/quote.ts';
import { type Entry, type EntryType, type Instant, isEntryType } from './entry.ts';

/** `%y` type, `%m` mode, `%U` `%G` ids, `%s` bytes, `%b` blocks, times, `%D:%i` inode, `%n` links, path, link target. */
const FORMAT = '%y %m %U %G %s %b %T@ %C@ %D %i %n %p\\0%l\\0';

/** Longer than any path a kernel gives out (PATH_MAX is 4096), short enough to bound what is buffered. */
const LONGEST_RECORD = 256 * 1024;

/** The script that lists one filesystem: the tree at `mountPoint`, not crossing into other filesystems. */
export function findScript(mountPoint: ByteString): string {
  // find takes a start that begins with a slash as a path, whatever follows.
  return `exec find ${quotePath(mountPoint)} -xdev -printf ${quote(FORMAT)}`;
}

const FIELDS =
  /^(?<type>[a-zA-Z?]) (?<mode>[0-7]{1,5}) (?<uid>\d{1,10}) (?<gid>\d{1,10}) (?<size>\d{1,19}) (?<blocks>\d{1,19}) (?<mtime>-?\d{1,15}(?:\.\d+)?) (?<ctime>-?\d{1,15}(?:\.\d+)?) (?<device>\d{1,19}) (?<inode>\d{1,20}) (?<links>\d{1,19}) (?<path>\/.*)$/s;

/** Parses a stream of find records; holds at most one record. Give each chunk to `push`, and call `end` after the last. */
export class FindParser {
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** @returns the entries completed by this chunk. @throws P2cError `listing.malformed` with the offset. */
  push(chunk: Buffer): Entry[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const entries: Entry[] = [];
    let start = 0;
    for (;;) {
      const pathEnd = bytes.indexOf(0, start);
      const targetEnd = pathEnd < 0 ? -1 : bytes.indexOf(0, pathEnd + 1);
      if (targetEnd < 0) break;
      const fields = byteString(bytes.subarray(start, pathEnd));
      entries.push(parseRecord(fields, byteString(bytes.subarray(pathEnd + 1, targetEnd)), this.#offset + start));
      start = targetEnd + 1;
    }
    this.#offset += start;
    // A copy: the chunk it lies in may be large, and is not ours to keep.
    this.#rest = Buffer.from(bytes.subarray(start));
    if (this.#rest.length > LONGEST_RECORD) throw malformed(this.#offset, 'a record of more than 256 KiB', '');
    return entries;
  }

  /** @throws P2cError `listing.truncated` where the last record is not whole. */
  end(): void {
    if (this.#rest.length === 0) return;
    throw new P2cError(`the listing ended inside a record, at byte ${this.#offset + this.#rest.length}`, {
      code: 'listing.truncated',
      hint: 'the connection or the find on the source ended early; run p2c again',
    });
  }
}

function parseRecord(fields: ByteString, target: ByteString, offset: number): Entry {
  const groups = FIELDS.exec(fields)?.groups;
  if (groups === undefined) throw malformed(offset, 'a record that is not in the form asked for', fields);
  const path = cleanPath(field(groups, 'path'));
  return {
    path,
    type: entryType(field(groups, 'type')),
    mode: Number.parseInt(field(groups, 'mode'), 8) & 0o7777,
    uid: Number(field(groups, 'uid')),
    gid: Number(field(groups, 'gid')),
    size: Number(field(groups, 'size')),
    blocks: Number(field(groups, 'blocks')),
    mtime: parseInstant(field(groups, 'mtime')),
    ctime: parseInstant(field(groups, 'ctime')),
    device: Number(field(groups, 'device')),
    inode: Number(field(groups, 'inode')),
    links: Number(field(groups, 'links')),
    target,
  };
}

function field(groups: Record<string, string | undefined>, name: string): string {
  return groups[name] ?? '';
}

function entryType(letter: string): EntryType {
  return isEntryType(letter) ? letter : 'U';
}

/** `find /` and `find //` print `//x` on some systems; listings hold one spelling. */
function cleanPath(path: string): ByteString {
  const single = path.includes('//') ? path.replace(/\/{2,}/g, '/') : path;
  return (single.length > 1 && single.endsWith('/') ? single.slice(0, -1) : single) as ByteString;
}

/** find prints ten digits of fraction and, on filesystems of old, none; before 1970 the fraction still counts forward. */
export function parseInstant(text: string): Instant {
  const [whole = '0', fraction = ''] = text.split('.');
  const nanoseconds = Number(fraction.slice(0, 9).padEnd(9, '0'));
  const seconds = Number(whole);
  return { seconds, nanoseconds };
}

function malformed(offset: number, what: string, record: string): P2cError {
  const shown = record === '' ? '' : `: '${printable(record.slice(0, 120))}'`;
  return new P2cError(`the listing holds ${what} at byte ${offset}${shown}`, {
    code: 'listing.malformed',
    hint: "the source's find may not be GNU find; 'find --version' there tells",
  });
}
