import test from 'ava';
import { Anatomy } from '../../src/listing/anatomy.ts';
import { byteString } from '../../src/printable.ts';
import { directory, entry } from '../helpers/entries.ts';

test('bytes and entries by directory under the root, and the largest files', (t) => {
  const anatomy = new Anatomy();
  for (const each of [
    directory('/'),
    directory('/a'),
    entry('/a/x', { size: 5 }),
    entry('/a/b/y', { size: 7 }),
    directory('/c'),
    entry('/file', { size: 100 }),
    entry('/a-b/z', { size: 1 }),
  ]) {
    anatomy.add(each);
  }
  t.deepEqual(
    anatomy.tops.map(({ path, entries, bytes }) => [path, entries, bytes]),
    [
      ['/file', 1, 100],
      ['/a', 3, 12],
      ['/a-b', 1, 1],
      ['/', 1, 0],
      ['/c', 1, 0],
    ],
  );
  t.deepEqual(
    anatomy.largest.map(({ path, size }) => [path, size]),
    [
      ['/file', 100],
      ['/a/b/y', 7],
      ['/a/x', 5],
      ['/a-b/z', 1],
    ],
  );
});

test('memory is bounded, whatever lies in the root, and the largest stay', (t) => {
  const anatomy = new Anatomy();
  for (let number = 0; number < 5000; number += 1) anatomy.add(entry(`/${number}`, { size: (number * 7919) % 5000 }));
  t.is(anatomy.tops.length, 201);
  t.is(
    anatomy.tops.reduce((sum, { entries }) => sum + entries, 0),
    5000,
  );
  t.deepEqual(
    anatomy.largest.map(({ size }) => size),
    [4999, 4998, 4997, 4996, 4995, 4994, 4993, 4992, 4991, 4990],
  );
});

test('what is hard to carry is counted by kind, with examples', (t) => {
  const anatomy = new Anatomy();
  for (let number = 0; number < 30; number += 1) anatomy.add(entry(`/dev${number}`, { type: 'c' }));
  anatomy.add(entry('/own', { uid: 65_536 }));
  anatomy.add(entry('/old', { mtime: { seconds: -1, nanoseconds: 0 } }));
  anatomy.add(entry('/new', { mtime: { seconds: 2 ** 31, nanoseconds: 0 } }));
  anatomy.add(entry('/large', { size: 9 * 1024 ** 3, blocks: 9 * 2 * 1024 ** 2 }));
  anatomy.add(entry('/holes', { size: 2 * 1024 ** 2, blocks: 8 }));
  anatomy.add(entry('/su', { mode: 0o4755 }));
  anatomy.add({ ...entry('/'), path: byteString(Buffer.from('/\xff\n', 'latin1')) });
  anatomy.add(entry('/plain'));
  anatomy.add(entry(`/${'4'.repeat(4094)}`));
  anatomy.add(entry(`/${'5'.repeat(4095)}`));
  const counts = Object.fromEntries(anatomy.hazards.map(({ kind, entries }) => [kind, entries]));
  t.deepEqual(counts, {
    'device node': 30,
    'owner above 65535': 1,
    'time before 1970 or after 2037': 2,
    'file above 8 GiB': 1,
    'file with holes': 1,
    'setuid or setgid program': 1,
    'name with control characters': 1,
    'name that is no UTF-8': 1,
    'path of more than 4095 bytes': 1,
  });
  t.is(anatomy.hazards.find(({ kind }) => kind === 'device node')?.examples.length, 10);
});

test('a file of which a name is left out is told of once', (t) => {
  const anatomy = new Anatomy();
  const names = (inode: number, links: number, ...paths: string[]) =>
    paths.map((path) => entry(path, { inode, links }));
  const all = [...names(1, 2, '/a', '/b'), ...names(2, 3, '/c', '/d'), directory('/e', { inode: 3, links: 5 })];
  for (const each of all) anatomy.add(each);
  t.deepEqual(anatomy.hazards, [], 'other names may still come');
  anatomy.finish();
  t.deepEqual(
    anatomy.hazards.map(({ kind, entries, examples }) => [kind, entries, examples.map(String)]),
    [['hard link with a name that is left out', 1, ['/c']]],
  );
});

test('who listens is told of every path of a hazard, also beyond the examples', (t) => {
  const told: string[] = [];
  const anatomy = new Anatomy((kind, path) => told.push(`${kind} ${path}`));
  for (let number = 0; number < 30; number += 1) anatomy.add(entry(`/dev${number}`, { type: 'c', uid: 70_000 }));
  for (const path of ['/a', '/b', '/c']) anatomy.add(entry(path, { inode: 9, links: 4 }));
  anatomy.finish();
  t.is(told.filter((line) => line.startsWith('device node /dev')).length, 30);
  t.is(told.filter((line) => line.startsWith('owner above 65535 /dev')).length, 30);
  t.is(told.at(-1), 'hard link with a name that is left out /a');
  t.is(told.length, 61);
});
