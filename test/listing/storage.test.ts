import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import fc from 'fast-check';
import { EntryDecoder, EntryEncoder } from '../../src/listing/codec.ts';
import type { Entry } from '../../src/listing/entry.ts';
import { pairEntries } from '../../src/listing/merge.ts';
import { comparePaths, sortKey } from '../../src/listing/path.ts';
import { ListingWriter, openListing } from '../../src/listing/storage.ts';
import type { ByteString } from '../../src/printable.ts';
import { collect, directory, entry } from '../helpers/entries.ts';
import { held } from '../helpers/held.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const component = fc.string({
  unit: fc.constantFrom('a', 'b', '-', '.', ' ', '\x01', '\xff', '0'),
  minLength: 1,
  maxLength: 4,
});
const path = fc.array(component, { maxLength: 4 }).map((parts) => `/${parts.join('/')}` as ByteString);
const number = fc.oneof(fc.nat(200), fc.maxSafeNat(), fc.constantFrom(2 ** 63 + 2 ** 12, 2 ** 64));
const instant = fc.record({
  seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }),
  nanoseconds: fc.integer({ min: -1, max: 999_999_999 }),
});
const anyEntry: fc.Arbitrary<Entry> = fc.record({
  path,
  type: fc.constantFrom('f', 'd', 'l', 's', 'p', 'b', 'c', 'U'),
  mode: fc.nat(0o7777),
  uid: number,
  gid: number,
  size: number,
  blocks: number,
  mtime: instant,
  ctime: instant,
  device: number,
  inode: number,
  links: number,
  target: component.map((text) => text as ByteString),
});

test('entries come back as they were, however the file is cut', (t) => {
  held(
    fc.property(fc.array(anyEntry, { maxLength: 20 }), fc.integer({ min: 1, max: 50 }), (entries, chunk) => {
      const encoder = new EntryEncoder();
      for (const item of entries) encoder.add(item);
      const bytes = encoder.take();
      const decoder = new EntryDecoder();
      const read: Entry[] = [];
      for (let at = 0; at < bytes.length; at += chunk) read.push(...decoder.push(bytes.subarray(at, at + chunk)));
      decoder.end();
      t.deepEqual(read, entries);
    }),
    200,
  );
});

test('comparing paths is comparing their sort keys', (t) => {
  fc.assert(
    fc.property(path, path, (a, b) => {
      const byKey = sortKey(a) < sortKey(b) ? -1 : sortKey(a) > sortKey(b) ? 1 : 0;
      t.is(Math.sign(comparePaths(a, b)), byKey, `${a} ${b}`);
    }),
  );
});

test('a directory is followed by what is in it, before a sibling whose name goes on with a lower byte', (t) => {
  const paths = ['/a', '/a-b', '/a/z', '/a.b', '/'].map((text) => text as ByteString);
  t.deepEqual(paths.sort(comparePaths) as string[], ['/', '/a', '/a/z', '/a-b', '/a.b']);
});

test('a writer sorts through many runs and levels, and the later entry of a path wins', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = new ListingWriter(folder, 'many', 7);
  const names = Array.from({ length: 1000 }, (_, i) => `/d${(i * 7919) % 997}/f${i % 13}`);
  for (const [i, name] of names.entries()) await writer.add([entry(name, { size: i })]);
  const listing = await writer.finish();
  const read = await collect(listing.batches());
  const expected = new Map(names.map((name, i) => [name, i]));
  t.is(listing.count, expected.size);
  t.deepEqual(
    read.map((item) => item.path as string),
    [...expected.keys()].sort((a, b) => (sortKey(a as ByteString) < sortKey(b as ByteString) ? -1 : 1)),
  );
  for (const item of read) t.is(item.size, expected.get(item.path) ?? -1, item.path);
});

test('many add at the same time, and nothing is lost', async (t) => {
  const folder = await temporaryFolder(t);
  const writer = new ListingWriter(folder, 'many', 5);
  const feed = async (name: string): Promise<void> => {
    for (let i = 0; i < 200; i += 1) await writer.add([entry(`/${name}/${i}`), entry(`/${name}/${i}.x`)]);
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(feed));
  const listing = await writer.finish();
  t.is(listing.count, 1600);
  t.is(new Set((await collect(listing.batches())).map((item) => item.path)).size, 1600);
});

test('two listings are paired by path', async (t) => {
  const folder = await temporaryFolder(t);
  const write = async (name: string, entries: Entry[]) => {
    const writer = new ListingWriter(folder, name);
    await writer.add(entries);
    return writer.finish();
  };
  const before = await write('before', [directory('/'), entry('/gone'), entry('/same')]);
  const after = await write('after', [directory('/'), entry('/new'), entry('/same', { size: 9 })]);
  const pairs = await collect(pairEntries(before.batches(), after.batches()));
  t.deepEqual(
    pairs.map((pair) => [pair.before?.path as string | undefined, pair.after?.path as string | undefined]),
    [
      ['/', '/'],
      ['/gone', undefined],
      [undefined, '/new'],
      ['/same', '/same'],
    ],
  );
});

test('a damaged listing is refused', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'damaged');
  await writeFile(file, Buffer.alloc(64, 0xff));
  await t.throwsAsync(collect(openListing(file, 1).batches()), { message: /damaged/ });
});
