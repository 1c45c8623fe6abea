/** Extended headers: `LENGTH KEY=VALUE\n` records, where LENGTH counts all of the record's bytes (POSIX pax). */
import { type ByteString, byteString } from '../printable.ts';
import { HeaderError } from './header.ts';
import { type SparseFormat, sparseFormatOf } from './sparse.ts';

const SPACE = 0x20;
const EQUALS = 0x3d;
const NEWLINE = 0x0a;

export interface PaxRecord {
  readonly key: string;
  /** The value's bytes as they are: extended attributes are binary. */
  readonly value: Buffer;
}

/** @throws HeaderError for a record that is not of the form. */
export function parsePax(bytes: Buffer): PaxRecord[] {
  const records: PaxRecord[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] === 0) break; // Some writers fill the block with NULs.
    const space = bytes.indexOf(SPACE, at);
    const digits = space < 0 || space - at > 10 ? '' : bytes.toString('latin1', at, space);
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
    const end = at + length;
    const equals = bytes.indexOf(EQUALS, space);
    if (!(end <= bytes.length) || equals < 0 || equals >= end || bytes[end - 1] !== NEWLINE) {
      throw new HeaderError(`its extended header has a bad record at byte ${at}`);
    }
    records.push({ key: bytes.toString('latin1', space + 1, equals), value: bytes.subarray(equals + 1, end - 1) });
    at = end;
  }
  return records;
}

/** What an extended header replaces in the header that follows it. */
export interface PaxOverrides {
  path?: ByteString;
  linkPath?: ByteString;
  size?: number;
  /** The content is a map and the data, and not the file. */
  sparse?: SparseFormat;
}

/** @throws HeaderError where the size is no number. */
export function overridesOf(records: readonly PaxRecord[]): PaxOverrides {
  const overrides: PaxOverrides = {};
  for (const { key, value } of records) {
    if (key === 'path') overrides.path = byteString(value);
    else if (key === 'linkpath') overrides.linkPath = byteString(value);
    else if (key === 'size') overrides.size = parseSize(value);
  }
  const sparse = sparseFormatOf(records);
  if (sparse !== undefined) overrides.sparse = sparse;
  return overrides;
}

function parseSize(value: Buffer): number {
  const digits = value.toString('latin1');
  const size = /^[0-9]+$/.test(digits) ? Number(digits) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw new HeaderError('its extended header gives a size that is no number');
  return size;
}

/** `LENGTH KEY=VALUE\n`, whose length counts its own digits (POSIX pax). */
export function paxRecord(key: string, value: Buffer): Buffer {
  const rest = key.length + value.length + 3;
  let digits = String(rest).length;
  while (String(rest + digits).length > digits) digits += 1;
  return Buffer.concat([Buffer.from(`${rest + digits} ${key}=`, 'latin1'), value, Buffer.from('\n')]);
}
