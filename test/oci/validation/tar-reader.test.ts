import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { type TarEntry, TarReader } from '../../../src/oci/validation/tar-reader.ts';
import type { ByteString } from '../../../src/printable.ts';
import { held } from '../../helpers/held.ts';
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

interface Outcome {
  readonly entries: TarEntry[];
  readonly complaints: string[];
}

function read(bytes: Buffer, step = bytes.length): Outcome {
  const complaints: string[] = [];
  const reader = new TarReader((code) => complaints.push(code));
  const entries: TarEntry[] = [];
  for (let at = 0; at < bytes.length; at += step) entries.push(...reader.push(bytes.subarray(at, at + step)));
  reader.end();
  return { entries, complaints };
}

const complaintsOf = (entries: readonly RawEntry[]): string[] => read(rawTar(entries)).complaints;
/** A header's field overwritten, its checksum made right again. */
function patched(bytes: Buffer, at: number, value: string): Buffer {
  const copy = Buffer.from(bytes);
  copy.write(value, at, 'latin1');
  copy.write('        ', 148, 'latin1');
  const sum = copy.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  copy.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return copy;
}

test('what GNU tar writes is read as it was meant, in pax and GNU format, in chunks of every size', async (t) => {
  const root = await temporaryFolder(t);
  const long = `${'d'.repeat(120)}/${'f'.repeat(200)}`;
  mkdirSync(join(root, 'd'.repeat(120)));
  writeFileSync(join(root, long), 'x'.repeat(700));
  writeFileSync(join(root, 'näme'), '');
  linkSync(join(root, long), join(root, 'zz-link'));
  symlinkSync('l'.repeat(150), join(root, 'zz-symlink'));
  for (const format of ['pax', 'gnu']) {
    const bytes = execFileSync('tar', [`--format=${format}`, '--sort=name', '-C', root, '-cf', '-', '.']);
    const whole = read(bytes);
    t.deepEqual(whole.complaints, []);
    const described = whole.entries.map(({ name, type, link }) => [name, type, link]);
    t.deepEqual(described, [
      ['./', '5', ''],
      [`./${'d'.repeat(120)}/`, '5', ''],
      [`./${long}`, '0', ''],
      [`./${Buffer.from('näme').toString('latin1')}`, '0', ''],
      ['./zz-link', '1', `./${long}`],
      ['./zz-symlink', '2', 'l'.repeat(150)],
    ]);
    for (const step of [1, 511, 512, 513, 4096]) t.deepEqual(read(bytes, step), whole);
  }
});

test('a size in base 256 and a POSIX prefix are understood', (t) => {
  const archive = rawTar([{ name: 'file', content: 'abc' }, { name: 'next' }]);
  const size = Buffer.alloc(12);
  size[0] = 0x80;
  size[11] = 3;
  const based = patched(patched(archive, 124, size.toString('latin1')), 345, 'some/where');
  const { entries, complaints } = read(based);
  t.deepEqual(complaints, []);
  t.deepEqual(
    entries.map(({ name, size: bytes }) => [name, bytes]),
    [
      ['some/where/file', 3],
      ['next', 0],
    ],
  );
});

test('a time before 1970 in base 256 is understood', (t) => {
  const { entries, complaints } = read(patched(rawTar([{ name: 'old' }]), 136, '\xff'.repeat(11).concat('\xfe')));
  t.deepEqual(complaints, []);
  t.is(entries[0]?.attributes.get('mtime'), '-2' as ByteString);
});

test('each field of a header that is no number is complained of, and by its name', (t) => {
  const messages: string[] = [];
  const reader = new TarReader((code, _, message) => messages.push(`${code} ${message}`));
  let bytes = rawTar([{ name: 'c', type: '3', device: [1, 3] }]);
  for (const at of [100, 108, 116, 136, 329, 337]) bytes = patched(bytes, at, 'rubbish');
  reader.push(bytes);
  t.deepEqual(
    messages,
    ['mode', 'uid', 'gid', 'mtime', 'major device number', 'minor device number'].map(
      (name) => `tar.header its ${name} is no number`,
    ),
  );
});

test('a pax size counts instead of the header’s', (t) => {
  const { entries, complaints } = read(
    rawTar([{ name: 'a', content: 'x'.repeat(600), size: 0, pax: { size: '600' } }, { name: 'b' }]),
  );
  t.deepEqual(complaints, []);
  t.deepEqual(
    entries.map(({ name }) => String(name)),
    ['a', 'b'],
  );
});

test('an old directory is a regular file whose name ends in a slash', (t) => {
  t.is(read(rawTar([{ name: 'old/' }])).entries[0]?.type, '5');
});

const whole = rawTar([{ name: 'a', content: 'hello', pax: { comment: 'x' } }, { name: 'b' }]);
const LONG_NAME: RawEntry = { name: '././@LongLink', type: 'L', content: './evil\0' };
const LONG_LINK: RawEntry = { name: '././@LongLink', type: 'K', content: './evil\0' };
const PAX_LINK: RawEntry = { name: 'x', type: 'x', content: '17 linkpath=good\n' };
const GLOBAL: RawEntry = { name: 'g', type: 'g', content: '13 comment=a\n' };
const END: RawEntry = { name: 'a' };
/** A header of many records: that is what it costs most to hold. */
const many = (type: string, bytes: number): RawEntry => ({ name: 'x', type, content: '5 a=\n'.repeat(bytes / 5) });
/** The second to the eighth are told, and with the ninth the reading ends. */
const NINE = [...Array.from({ length: 7 }, () => 'tar.pax'), 'tar.header'];
const BREACHES: readonly (readonly [string, Buffer, string[]])[] = [
  ['no end', whole.subarray(0, -1024), ['tar.no-end']],
  ['one block of zeros at the end', whole.subarray(0, -512), ['tar.no-end']],
  ['nothing at all', Buffer.alloc(0), ['tar.no-end']],
  ['cut in a header', whole.subarray(0, 1200), ['tar.truncated']],
  ['cut in a content', whole.subarray(0, 1539), ['tar.truncated']],
  ['cut in an extended header', whole.subarray(0, 520), ['tar.truncated']],
  ['a flipped bit', Buffer.from(whole).fill(1, 100, 101), ['tar.header']],
  ['no size', patched(rawTar([{ name: 'a' }]), 124, 'nonsense'), ['tar.header']],
  ['no mode', patched(rawTar([{ name: 'a' }]), 100, 'rw-r--r'), ['tar.header']],
  ['no owner', patched(rawTar([{ name: 'a' }]), 108, '00009'), ['tar.header']],
  ['a negative group', patched(rawTar([{ name: 'a' }]), 116, '\xff'.repeat(8)), ['tar.header']],
  ['no time', patched(rawTar([{ name: 'a' }]), 136, '-1'), ['tar.header']],
  ['no device of a file', patched(rawTar([{ name: 'a' }]), 337, 'x'), ['tar.header']],
  ['no owner of an extended header', patched(whole, 108, 'root'), ['tar.header']],
  ['a negative size', patched(rawTar([{ name: 'a' }]), 124, '\xff'.repeat(12)), ['tar.header']],
  ['something after the end', Buffer.concat([whole, Buffer.from('hidden')]), ['tar.trailing']],
  ['a block of zeros between', Buffer.concat([Buffer.alloc(512), whole]), ['tar.zero-block']],
  ['a directory with content', rawTar([{ name: 'd', type: '5', size: 3 }]), ['tar.size']],
  ['a global path', rawTar([{ name: 'g', type: 'g', content: '10 path=a\n' }]), ['tar.global']],
  ['a record without its end', rawTar([{ name: 'x', type: 'x', content: '99 path=a\n' }]), ['tar.pax']],
  ['a record of length 0', rawTar([{ name: 'x', type: 'x', content: '0 path=a\n' }]), ['tar.pax']],
  ['a record without =', rawTar([{ name: 'x', type: 'x', content: '7 path\n' }]), ['tar.pax']],
  ['a NUL in a path', rawTar([{ name: 'a', pax: { path: 'a\0b' } }]), ['tar.pax']],
  ['a size that is no number', rawTar([{ name: 'a', pax: { size: '-1' } }]), ['tar.pax']],
  ['a name by a record and one by GNU tar', rawTar([LONG_NAME, { name: 'a', pax: { path: 'good' } }]), ['tar.pax']],
  ['a target by GNU tar and one by a record', rawTar([PAX_LINK, LONG_LINK, { name: 'a' }]), ['tar.pax']],
  ['two pax headers of one entry', rawTar([PAX_LINK, { name: 'a', pax: { mtime: '5' } }]), ['tar.pax']],
  ['two long names of one entry', rawTar([LONG_NAME, LONG_NAME, { name: 'a' }]), ['tar.pax']],
  ['two long targets of one entry', rawTar([LONG_LINK, LONG_LINK, { name: 'a' }]), ['tar.pax']],
  ['a global header after an extended one', rawTar([PAX_LINK, GLOBAL, { name: 'a' }]), ['tar.global']],
  [
    'extended headers of 9 MiB',
    rawTar([many('K', 2 ** 22), many('x', 2 ** 22), many('L', 2 ** 20), END]),
    ['tar.pax', 'tar.header'],
  ],
  ['nine extended headers', rawTar([...Array.from({ length: 9 }, () => LONG_NAME), END]), NINE],
  ['too many records', rawTar([many('x', 5 * 65_536 + 5), END]), ['tar.pax']],
  ['an enormous extended header', rawTar([{ name: 'x', type: 'x', size: 2 ** 32 }]), ['tar.header']],
];
for (const [what, bytes, codes] of BREACHES) {
  test(`breach of the format: ${what}`, (t) => {
    for (const step of [1, 700, 1 << 20]) t.deepEqual(read(bytes, step).complaints, codes);
  });
}

test('an extended header with nothing in it is none', (t) => {
  t.deepEqual(complaintsOf([{ name: 'a', pax: {} }]), []);
});

test('attributes that p2c adds beside the long names of an old tar are no second name', (t) => {
  const { entries, complaints } = read(
    rawTar([LONG_LINK, LONG_NAME, { name: 'a', type: '2', pax: { 'SCHILY.xattr.user.a': 'b' } }]),
  );
  t.deepEqual(complaints, []);
  t.deepEqual([entries[0]?.name, entries[0]?.link], ['./evil' as ByteString, './evil' as ByteString]);
});

test('names are bytes: two that are no UTF-8 stay two', (t) => {
  const { entries } = read(rawTar([{ name: '\xff' }, { name: '\xfe' }]));
  t.not(entries[0]?.name, entries[1]?.name);
});

test('noise and cut archives neither throw nor hang, and say the same in pieces', (t) => {
  const noise = fc.oneof(
    fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes)),
    fc
      .tuple(fc.nat(whole.length - 1), fc.nat(255), fc.nat(whole.length))
      .map(([at, byte, end]) =>
        Buffer.from(whole.subarray(0, end)).fill(byte, Math.min(at, end), Math.min(at + 1, end)),
      ),
  );
  held(
    fc.property(noise, fc.integer({ min: 1, max: 1100 }), (bytes, step) => {
      t.deepEqual(read(bytes, step), read(bytes));
    }),
    300,
  );
});
