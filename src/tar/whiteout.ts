/**
 * Entries that p2c writes itself: whiteouts, by which a layer hides a path of the layers below it (OCI image-spec,
 * layer.md, "Whiteouts"). Names are bytes, which tar-stream cannot hold, so the blocks are made here.
 */
import { type ByteString, bytesOf } from '../printable.ts';
import { BLOCK, checksum } from './header.ts';
import { paxRecord } from './pax.ts';

export const WHITEOUT_PREFIX = '.wh.';
const NAME_BYTES = 100;

/** The blocks of an empty file `.wh.NAME` beside the path. Of the directories above, entries have to be there already. */
export function whiteout(path: ByteString): Buffer {
  const slash = path.lastIndexOf('/');
  const name = bytesOf(`.${path.slice(0, slash + 1)}${WHITEOUT_PREFIX}${path.slice(slash + 1)}` as ByteString);
  if (name.length <= NAME_BYTES) return header(name, '0', 0);
  const record = paxRecord('path', name);
  const padding = Buffer.alloc((BLOCK - (record.length % BLOCK)) % BLOCK);
  const extended = header(Buffer.from('./PaxHeaders/whiteout'), 'x', record.length);
  return Buffer.concat([extended, record, padding, header(name.subarray(0, NAME_BYTES), '0', 0)]);
}

/** A ustar header with mode 0, owner 0 and time 0: a whiteout has no attributes. */
function header(name: Buffer, type: string, size: number): Buffer {
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0);
  block.write('0000000\0', 100);
  block.write('0000000\0', 108);
  block.write('0000000\0', 116);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('00000000000\0', 136);
  block.write(type, 156);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(`${checksum(block).unsigned.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}
