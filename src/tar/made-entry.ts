/**
 * Entries that p2c writes itself. Names are bytes, which tar-stream cannot hold, so the blocks are made here: a ustar
 * header, with an extended header (POSIX pax) before it where a field does not fit.
 */
import { type ByteString, bytesOf } from '../printable.ts';
import { BLOCK, checksum } from './header.ts';
import type { PaxRecord } from './pax.ts';
import { encodeRecords } from './pax-rewrite.ts';

const NAME_BYTES = 100;
/** Seven octal digits. */
const LARGEST_ID = 0o7777777;

export interface MadeAttributes {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** The blocks of an empty regular file of 1970, so that they are the same each time. @param path absolute; the entry has it with a dot before. */
export function emptyFile(path: ByteString, { mode, uid, gid }: MadeAttributes): Buffer {
  const name = bytesOf(`.${path}` as ByteString);
  const records: PaxRecord[] = [];
  const number = (key: string, value: number, fits: boolean): number => {
    if (fits) return value;
    records.push({ key, value: Buffer.from(String(value)) });
    return 0;
  };
  if (name.length > NAME_BYTES) records.push({ key: 'path', value: name });
  const fields = {
    mode,
    uid: number('uid', uid, uid <= LARGEST_ID),
    gid: number('gid', gid, gid <= LARGEST_ID),
  };
  return Buffer.concat([...extendedHeader(records), header(name.subarray(0, NAME_BYTES), '0', 0, fields)]);
}

/** The header and the content of an extended header; nothing for no records. */
export function extendedHeader(records: readonly PaxRecord[]): Buffer[] {
  if (records.length === 0) return [];
  const { bytes, length } = encodeRecords(records);
  const none = { mode: 0, uid: 0, gid: 0 };
  return [header(Buffer.from('./PaxHeaders/made'), 'x', length, none), bytes];
}

function header(name: Buffer, type: string, size: number, { mode, uid, gid }: MadeAttributes): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number, at: number): void => {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at);
  };
  name.copy(block, 0);
  octal(mode, 7, 100);
  octal(uid, 7, 108);
  octal(gid, 7, 116);
  octal(size, 11, 124);
  octal(0, 11, 136);
  block.write(type, 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
