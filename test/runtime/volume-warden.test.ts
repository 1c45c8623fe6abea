/** What layers of captured volumes may hold, before tar sees any of it. */
import test from 'ava';
import { byteStringFromText } from '../../src/printable.ts';
import { LayerChecker } from '../../src/runtime/layer-checker.ts';
import { VolumeWarden } from '../../src/runtime/volumes/warden.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { ownNames } from '../helpers/tar-names.ts';

const DOWN: RawEntry[] = ['./', './srv/', './srv/db/'].map((name) => ({ name, type: '5' }));

function checked(entries: readonly RawEntry[], folders: readonly string[] = []) {
  const warden = new VolumeWarden(byteStringFromText('/srv/db'), (path) => folders.includes(path));
  const checker = new LayerChecker(warden);
  const out = [...checker.push(rawTar(entries)), checker.end()];
  return { gone: warden.gone as readonly string[], names: ownNames(Buffer.concat(out)) };
}

test('what is below the folder goes on, with the folders down to it', (t) => {
  const entries = [
    ...DOWN,
    { name: './srv/db/a' },
    { name: './srv/db/b', type: '1', link: './srv/db/a' },
    { name: './srv/db/c/', type: '5' },
    { name: './srv/db/c/1' },
  ];
  t.deepEqual(checked(entries), { gone: [], names: entries.map(({ name }) => name) });
});

test('whiteouts, and folders in whose place something else comes, are taken away by name', (t) => {
  const entries = [...DOWN, { name: './srv/db/folder' }, { name: './srv/db/file' }, { name: './srv/db/.wh.old' }];
  const sorted = [...DOWN, { name: './srv/db/file' }, { name: './srv/db/folder' }, { name: './srv/db/.wh.old' }];
  t.deepEqual(checked(sorted, ['/srv/db/folder']).gone, ['/srv/db/folder', '/srv/db/old']);
  t.false(checked(sorted).names.some((name) => name.includes('.wh.')));
  t.throws(() => checked(entries), { code: 'layer.refused' });
});

test('a folder without an entry is made anew, so that no link of a lower layer is followed', (t) => {
  const { names } = checked([
    ...DOWN,
    { name: './srv/db/x/y/1' },
    { name: './srv/db/x/y/2' },
    { name: './srv/db/z/1' },
  ]);
  t.deepEqual(names.slice(3), [
    './srv/db/x',
    './srv/db/x/y',
    './srv/db/x/y/1',
    './srv/db/x/y/2',
    './srv/db/z',
    './srv/db/z/1',
  ]);
});

const HOSTILE: Readonly<Record<string, RawEntry[]>> = {
  'a file beside the folder': [...DOWN, { name: './srv/other' }],
  'a file above the folder': [{ name: './etc/passwd' }],
  'a folder that only begins alike': [...DOWN, { name: './srv/dbase/', type: '5' }],
  'the folder is a link': [
    DOWN[0] ?? { name: '' },
    { name: './srv/', type: '5' },
    { name: './srv/db', type: '2', link: '/etc' },
  ],
  'a folder above is a link': [DOWN[0] ?? { name: '' }, { name: './srv', type: '2', link: '/etc' }],
  'the folder is a file': [...DOWN.slice(0, 2), { name: './srv/db', content: 'x' }],
  'a hard link out': [...DOWN, { name: './srv/db/x', type: '1', link: './etc/passwd' }],
  'a hard link to the folder beside': [...DOWN, { name: './srv/db/x', type: '1', link: './srv/dbase/x' }],
  'a hard link that climbs': [...DOWN, { name: './srv/db/x', type: '1', link: './srv/db/../../etc/passwd' }],
  'a name that climbs': [...DOWN, { name: './srv/db/../x' }],
  'an absolute name': [{ name: '/srv/db/x' }],
  'a name twice': [...DOWN, { name: './srv/db/x', type: '2', link: '/etc' }, { name: './srv/db/x' }],
  'a name twice, in another spelling': [...DOWN, { name: './srv/db/x' }, { name: './srv/./db//x/', type: '5' }],
  'a link that is a folder before': [
    ...DOWN,
    { name: './srv/db/x/', type: '5' },
    { name: './srv/db/x', type: '2', link: '/' },
  ],
  'out of order': [...DOWN, { name: './srv/db/b' }, { name: './srv/db/a' }],
  'a whiteout of the folder': [...DOWN, { name: './srv/.wh.db' }],
  'a whiteout outside': [...DOWN, { name: './etc/.wh.passwd' }],
  'a whiteout of the root': [...DOWN, { name: './.wh.srv' }],
  'all of a folder hidden': [...DOWN, { name: './srv/db/.wh..wh..opq' }],
  'a whiteout of no name': [...DOWN, { name: './srv/db/.wh...' }],
};

for (const [what, entries] of Object.entries(HOSTILE)) {
  test(`refused: ${what}`, (t) => {
    t.throws(() => checked(entries), { code: 'layer.refused' });
  });
}
