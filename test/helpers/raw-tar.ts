/** Tar entries as no archiver would write them: nothing is checked, names stand as they are given. */
import { BLOCK, checksum } from '../../src/tar/header.ts';

export interface RawEntry {
  readonly name: string;
  /** POSIX type flag; `0` where not told. */
  readonly type?: string;
  readonly link?: string;
  readonly content?: string;
  readonly mode?: number;
  /** Seconds since 1970; one of 2001 where not told. */
  readonly mtime?: number;
  /** Records of an extended header before the entry. */
  readonly pax?: Readonly<Record<string, string>>;
  /** The size that the header states, where it lies. */
  readonly size?: number;
  readonly device?: readonly [major: number, minor: number];
}

/** A whole archive of these entries. */
export function rawTar(entries: readonly RawEntry[]): Buffer {
  return Buffer.concat([...entries.flatMap(rawEntry), Buffer.alloc(2 * BLOCK)]);
}

function rawEntry(entry: RawEntry): Buffer[] {
  const content = Buffer.from(entry.content ?? '');
  const own = [header(entry, entry.size ?? content.length), padded(content)];
  if (entry.pax === undefined) return own;
  const records = Buffer.concat(Object.entries(entry.pax).map(([key, value]) => record(key, value)));
  return [header({ name: 'pax', type: 'x' }, records.length), padded(records), ...own];
}

function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (String(length).length + rest !== length) length = String(length).length + rest;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

function header(entry: RawEntry, size: number): Buffer {
  const {
    name,
    type = '0',
    link = '',
    mode = type === '5' ? 0o755 : 0o644,
    device = [0, 0],
    mtime = 1_000_000_000,
  } = entry;
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0');
  const block = Buffer.alloc(BLOCK);
  block.write(name, 0, 100, 'latin1');
  block.write(octal(mode, 7), 100);
  block.write(octal(0, 7), 108);
  block.write(octal(0, 7), 116);
  block.write(octal(size, 11), 124);
  block.write(octal(mtime, 11), 136);
  block.write(type, 156);
  block.write(link, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write(octal(device[0], 7), 329);
  block.write(octal(device[1], 7), 337);
  block.write(`${octal(checksum(block), 6)}\0 `, 148, 'latin1');
  return block;
}
