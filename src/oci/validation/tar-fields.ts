/**
 * The fields of a tar header's 512 bytes, as the oracle reads them (POSIX ustar; GNU tar's numbers in base 256). What a
 * reader makes of a field that is no number is its own affair: GNU tar warns and takes a zero, Go, and so podman, docker
 * and registries, refuse the layer.
 */
import { type ByteString, byteString } from '../../printable.ts';

type NumberField = readonly [name: string, at: number, length: number];

const DEVICE: readonly NumberField[] = [
  ['major device number', 329, 8],
  ['minor device number', 337, 8],
];
const NUMBERS: readonly NumberField[] = [
  ['mode', 100, 8],
  ['uid', 108, 8],
  ['gid', 116, 8],
  ['mtime', 136, 12],
];

/** What is wrong with the numbers of a header beside its size: `its mode is no number`. */
export function faultyNumbers(block: Buffer): string[] {
  // The form before POSIX has other things, or nothing, where device numbers would be.
  const fields = block.toString('latin1', 257, 262) === 'ustar' ? [...NUMBERS, ...DEVICE] : NUMBERS;
  return fields.flatMap(([name, at, length]) => {
    const value = number(block, at, length);
    if (value === undefined) return [`its ${name} is no number`];
    // Before 1970 a file may be; an owner -1 is one that chown(2) leaves as it is.
    return value < 0 && name !== 'mtime' ? [`its ${name} is ${value}`] : [];
  });
}

/** Under `mode`, `uid`, `gid`, `mtime` and, of a device, `device`; empty where the field is no number. */
export function fieldsOf(block: Buffer, type: string): [string, ByteString][] {
  const worded = ([, at, length]: NumberField): string => String(number(block, at, length) ?? '');
  const fields = NUMBERS.map((field): [string, ByteString] => [field[0], byteString(Buffer.from(worded(field)))]);
  if (type !== '3' && type !== '4') return fields;
  return [...fields, ['device', byteString(Buffer.from(DEVICE.map(worded).join(':')))]];
}

/** Octal digits, or base 256 in two's complement where the first bit is set (GNU); undefined for anything else. */
export function number(block: Buffer, at: number, length: number): number | undefined {
  const first = block[at] ?? 0;
  if (first >= 0x80) {
    // The first bit only says that it is base 256: the second is the sign.
    let value = first >= 0xc0 ? first - 0x100 : first & 0x7f;
    for (const byte of block.subarray(at + 1, at + length)) value = value * 256 + byte;
    return Number.isSafeInteger(value) ? value : undefined;
  }
  const digits = /^ *([0-7]*)[ \0]*$/.exec(block.toString('latin1', at, at + length))?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits === '' ? '0' : digits, 8);
}

export function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (const byte of block) sum += byte;
  for (const byte of block.subarray(148, 156)) sum -= byte;
  return sum;
}

/** Up to the first NUL. */
export function text(block: Buffer, at: number, length: number): ByteString {
  const field = block.subarray(at, at + length);
  const end = field.indexOf(0);
  return byteString(end < 0 ? field : field.subarray(0, end));
}

/** `prefix/name` in the POSIX form; GNU's old form keeps other things where the prefix would be. */
export function nameIn(block: Buffer): ByteString {
  const name = text(block, 0, 100);
  const prefix = block.toString('latin1', 257, 263) === 'ustar\0' ? text(block, 345, 155) : '';
  return prefix === '' ? name : byteString(Buffer.from(`${prefix}/${name}`, 'latin1'));
}
