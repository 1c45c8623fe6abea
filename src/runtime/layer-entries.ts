/** Tar entries that p2c writes itself while it unpacks a layer: POSIX ustar headers and pax records. */
import { type ByteString, bytesOf } from '../printable.ts';
import { BLOCK, checksum } from '../tar/header.ts';
import type { PaxRecord } from '../tar/pax.ts';

/**
 * How overlayfs says that a directory hides what lower layers have in it; GNU tar restores it from this pax key.
 * @param unprivileged whether it is mounted in a user namespace (`userxattr`).
 */
export function opaqueRecord(unprivileged: boolean): PaxRecord {
  return { key: `SCHILY.xattr.${unprivileged ? 'user' : 'trusted'}.overlay.opaque`, value: Buffer.from('y') };
}

/** How overlayfs says that a name is gone: a character device 0:0 in its place. */
export function whiteout(path: ByteString): Buffer[] {
  return named(path, header({ type: '3', mode: 0o600, size: 0 }));
}

/** A directory that the layer has no entry for: as extractors invent it. */
export function inventedDirectory(path: ByteString, records: readonly PaxRecord[]): Buffer[] {
  return named(path, header({ type: '5', mode: 0o755, size: 0 }), records);
}

/** The name goes into a pax record, which has room for any. */
function named(path: ByteString, block: Buffer, records: readonly PaxRecord[] = []): Buffer[] {
  const name: PaxRecord = { key: 'path', value: bytesOf(`.${path}` as ByteString) };
  return [...extendedHeader([name, ...records]), block];
}

/** @returns an `x` entry: header, records, padding. */
export function extendedHeader(records: readonly PaxRecord[]): Buffer[] {
  const content = Buffer.concat(records.map(recordBytes));
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [header({ type: 'x', mode: 0o644, size: content.length }), content, padding];
}

/** `LENGTH KEY=VALUE\n`; the length counts its own digits too. */
function recordBytes({ key, value }: PaxRecord): Buffer {
  const rest = Buffer.concat([Buffer.from(` ${key}=`, 'latin1'), value, Buffer.from('\n')]);
  let length = rest.length + 1;
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

function header({ type, mode, size }: { type: string; mode: number; size: number }): Buffer {
  const block = Buffer.alloc(BLOCK);
  block.write('p2c', 0, 'latin1');
  block.write(octal(mode, 7), 100, 'latin1');
  block.write(octal(0, 7), 108, 'latin1');
  block.write(octal(0, 7), 116, 'latin1');
  block.write(octal(size, 11), 124, 'latin1');
  block.write(octal(0, 11), 136, 'latin1');
  block.write(type, 156, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(octal(0, 7), 329, 'latin1');
  block.write(octal(0, 7), 337, 'latin1');
  return sealed(block);
}

/** A copy of a header whose size is zero: what has no content must not claim any, or two readers read on differently. */
export function withoutSize(block: Buffer): Buffer {
  const copy = Buffer.from(block);
  copy.fill(0, 124, 136);
  copy.write(octal(0, 11), 124, 'latin1');
  return sealed(copy);
}

function sealed(block: Buffer): Buffer {
  block.write(`${octal(checksum(block), 6)}\0 `, 148, 'latin1');
  return block;
}

function octal(value: number, digits: number): string {
  return value.toString(8).padStart(digits, '0');
}
