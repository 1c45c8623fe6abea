import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import test from 'ava';
import { type Entry, UNKNOWN_NANOSECONDS } from '../../src/listing/entry.ts';
import { parseInstant } from '../../src/listing/record.ts';
import { FindParser, findScript } from '../../src/listing/scan.ts';
import { byteString, byteStringFromText, bytesOf } from '../../src/printable.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

function parse(bytes: Buffer, chunk: number): Entry[] {
  const parser = new FindParser();
  const entries: Entry[] = [];
  for (let at = 0; at < bytes.length; at += chunk) entries.push(...parser.push(bytes.subarray(at, at + chunk)));
  parser.end();
  return entries;
}

test('a real find is read back as stat sees it, whatever the names and however the bytes are cut', async (t) => {
  const folder = await temporaryFolder(t);
  const names = ['plain', 'with space', 'quote\'"', 'new\nline', '-dash', '*star*', 'back\\slash', 'ümläut'];
  for (const name of names) writeFileSync(`${folder}/${name}`, 'x'.repeat(name.length));
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x41])]), 'raw');
  mkdirSync(`${folder}/dir`, { mode: 0o1770 });
  symlinkSync('tar\nget', `${folder}/link`);
  linkSync(`${folder}/plain`, `${folder}/dir/plain`);
  execFileSync('touch', ['-d', '@-5.25', `${folder}/plain`]);
  const bytes = execFileSync('sh', ['-c', findScript({ path: byteStringFromText(folder), what: 'filesystem' })]);
  const whole = parse(bytes, bytes.length);
  t.is(whole.length, names.length + 5);
  for (const chunk of [1, 2, 3, 7, 64, 1000]) t.deepEqual(parse(bytes, chunk), whole);
  const byPath = new Map(whole.map((item) => [item.path.slice(folder.length), item]));
  for (const name of names) t.is(byPath.get(byteStringFromText(`/${name}`))?.size, name.length, name);
  t.is(byPath.get('/\xff\xfeA')?.size, 3);
  t.is(byPath.get('/link')?.target, byteStringFromText('tar\nget'));
  t.is(byPath.get('/link')?.type, 'l');
  t.is(byPath.get('/plain')?.links, 2);
  t.is(byPath.get('/plain')?.inode, byPath.get('/dir/plain')?.inode);
  t.deepEqual(byPath.get('/plain')?.mtime, { seconds: -6, nanoseconds: 750_000_000 });
  t.deepEqual(
    bytesOf(byPath.get('/\xff\xfeA')?.path ?? byteString(Buffer.alloc(0))).subarray(-3),
    Buffer.from([0xff, 0xfe, 0x41]),
  );
});

test('times without a fraction, as finds of old print them, are whole seconds, and the rest is unknown', (t) => {
  t.deepEqual(parseInstant('1700000000'), { seconds: 1_700_000_000, nanoseconds: UNKNOWN_NANOSECONDS });
  t.deepEqual(parseInstant('1700000000.1234567890'), { seconds: 1_700_000_000, nanoseconds: 123_456_789 });
});

test('a listing that is cut anywhere is refused', (t) => {
  const record = Buffer.from('f 644 0 0 5 8 1.0 1.0 1 2 1 /etc/passwd\0\0');
  for (let length = 1; length < record.length; length += 1) {
    const parser = new FindParser();
    parser.push(record.subarray(0, length));
    t.throws(() => parser.end(), { message: /ended inside a record/ }, `cut at ${length}`);
  }
});

const HOSTILE = [
  ['no fields', 'hello\0\0'],
  ['a relative path', 'f 644 0 0 5 8 1.0 1.0 1 2 1 etc/passwd\0\0'],
  ['a size that is no number', 'f 644 0 0 x 8 1.0 1.0 1 2 1 /etc\0\0'],
  ['a mode with an eight', 'f 648 0 0 5 8 1.0 1.0 1 2 1 /etc\0\0'],
  ['numbers beyond all bounds', `f 644 0 0 ${'9'.repeat(40)} 8 1.0 1.0 1 2 1 /etc\0\0`],
] as const;

for (const [what, text] of HOSTILE) {
  test(`refuses ${what}, with the offset`, (t) => {
    const parser = new FindParser();
    t.throws(() => parser.push(Buffer.from(text)), { message: /at byte 0/ });
  });
}

test('a record without an end does not grow without bound', (t) => {
  const parser = new FindParser();
  const chunk = Buffer.alloc(64 * 1024, 'x');
  t.throws(
    () => {
      for (let i = 0; i < 100; i += 1) parser.push(chunk);
    },
    { message: /more than 256 KiB/ },
  );
});
