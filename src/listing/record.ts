/** One record of a listing: `FIELDS PATH` and a link's target, with the fields of `find -printf` or, after `=`, of `stat -c`. */
import { P2cError } from '../errors.ts';
import { type ByteString, printable } from '../printable.ts';
import { type Entry, type EntryType, type Instant, isEntryType, UNKNOWN_NANOSECONDS } from './entry.ts';

const FIELDS =
  /^(?<type>[a-zA-Z?]) (?<mode>[0-7]{1,5}) (?<uid>\d{1,10}) (?<gid>\d{1,10}) (?<size>\d{1,19}) (?<blocks>\d{1,19}) (?<mtime>-?\d{1,15}(?:\.\d+)?) (?<ctime>-?\d{1,15}(?:\.\d+)?) (?<device>\d{1,19}) (?<inode>\d{1,20}) (?<links>\d{1,19}) (?<path>\/.*)$/s;

const STAT_FIELDS =
  /^= (?<mode>[0-9a-f]{1,8}) (?<uid>\d{1,10}) (?<gid>\d{1,10}) (?<size>\d{1,19}) (?<blocks>\d{1,19}) (?<mtime>-?\d{1,15}) (?<ctime>-?\d{1,15}) (?<device>\d{1,20}) (?<inode>\d{1,20}) (?<links>\d{1,19}) (?:-?\d+-\d\d-\d\d \d\d:\d\d:\d\d\.(?<mtimeFraction>\d{9}) [+-]\d{4} -?\d+-\d\d-\d\d \d\d:\d\d:\d\d\.(?<ctimeFraction>\d{9}) [+-]\d{4} )?(?<path>\/.*)$/s;

/** @returns nothing for a symbolic link that vanished before its target was read. */
export function parseRecord(fields: ByteString, target: ByteString, offset: number): Entry | undefined {
  const byStat = fields.startsWith('=');
  const groups = (byStat ? STAT_FIELDS : FIELDS).exec(fields)?.groups;
  if (groups === undefined) throw malformed(offset, 'a record that is not in the form asked for', fields);
  const entry = byStat ? statEntry(groups, target) : findEntry(groups, target);
  return byStat && entry.type === 'l' && target === '' ? undefined : entry;
}

function findEntry(groups: Groups, target: ByteString): Entry {
  return {
    ...numbers(groups),
    type: entryType(field(groups, 'type')),
    mode: Number.parseInt(field(groups, 'mode'), 8) & 0o7777,
    mtime: parseInstant(field(groups, 'mtime')),
    ctime: parseInstant(field(groups, 'ctime')),
    target,
  };
}

/** `st_mode`'s upper bits, as inode(7) has them. */
const TYPES_OF_MODE = new Map<number, EntryType>([
  [0o01, 'p'],
  [0o02, 'c'],
  [0o04, 'd'],
  [0o06, 'b'],
  [0o10, 'f'],
  [0o12, 'l'],
  [0o14, 's'],
]);

function statEntry(groups: Groups, target: ByteString): Entry {
  const mode = Number.parseInt(field(groups, 'mode'), 16);
  const instant = (name: 'mtime' | 'ctime'): Instant => {
    const fraction = groups[`${name}Fraction`];
    return parseInstant(field(groups, name) + (fraction === undefined ? '' : `.${fraction}`));
  };
  return {
    ...numbers(groups),
    type: TYPES_OF_MODE.get((mode >>> 12) & 0o17) ?? 'U',
    mode: mode & 0o7777,
    mtime: instant('mtime'),
    ctime: instant('ctime'),
    // readlink ends with a newline of its own.
    target: target.replace(/\n$/, '') as ByteString,
  };
}

type Groups = Record<string, string | undefined>;

function numbers(groups: Groups): Omit<Entry, 'type' | 'mode' | 'mtime' | 'ctime' | 'target'> {
  return {
    path: cleanPath(field(groups, 'path')),
    uid: Number(field(groups, 'uid')),
    gid: Number(field(groups, 'gid')),
    size: Number(field(groups, 'size')),
    blocks: Number(field(groups, 'blocks')),
    device: Number(field(groups, 'device')),
    inode: Number(field(groups, 'inode')),
    links: Number(field(groups, 'links')),
  };
}

function field(groups: Groups, name: string): string {
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

/** find prints ten digits of fraction and, when old, none; before 1970 the fraction still counts forward. */
export function parseInstant(text: string): Instant {
  const [whole = '0', fraction] = text.split('.');
  const nanoseconds = fraction === undefined ? UNKNOWN_NANOSECONDS : Number(fraction.slice(0, 9).padEnd(9, '0'));
  const seconds = Number(whole);
  return { seconds, nanoseconds };
}

export function malformed(offset: number, what: string, record: string): P2cError {
  const shown = record === '' ? '' : `: '${printable(record.slice(0, 120))}'`;
  return new P2cError(`the listing holds ${what} at byte ${offset}${shown}`, {
    code: 'listing.malformed',
    hint: "the source's find or stat is of a kind that p2c does not know; 'find --version' there tells",
  });
}
