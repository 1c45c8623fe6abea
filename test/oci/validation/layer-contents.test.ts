import test from 'ava';
import { LayerContents } from '../../../src/oci/validation/layer-contents.ts';
import { TarReader } from '../../../src/oci/validation/tar-reader.ts';
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts';

function faultsOf(
  entries: readonly RawEntry[],
  lowest = true,
  volume?: string,
  room?: { names: number; bytes: number },
): string[] {
  const faults: string[] = [];
  const contents = new LayerContents({ lowest, volume }, (code, message) => faults.push(`${code}: ${message}`), room);
  const reader = new TarReader((code) => faults.push(code));
  for (const entry of reader.push(rawTar(entries))) contents.add(entry);
  contents.end();
  return faults;
}

const directory = (name: string): RawEntry => ({ name, type: '5' });
const link = (name: string, target: string): RawEntry => ({ name, type: '1', link: target });

test('a sound layer has no faults', (t) => {
  const entries = [
    directory('./'),
    directory('./usr/'),
    { name: './usr/a', content: 'a' },
    link('./usr/b', './usr/a'),
    link('./usr/c', 'usr//b'),
    { name: './usr/s', type: '2', link: '../../../anywhere' },
    { name: './usr/null', type: '3', device: [1, 3] as const },
    { name: './usr/pipe', type: '6' },
    directory('./usr/..not-up'),
  ];
  t.deepEqual(faultsOf(entries), []);
  t.deepEqual(faultsOf([directory('usr'), { name: 'usr/.wh.gone' }, { name: 'usr/.wh..wh..opq' }], false), []);
});

test('names that no system takes are told by their length, and are not kept', (t) => {
  const long = 'd/'.repeat(2048);
  t.deepEqual(faultsOf([{ name: 'a', pax: { path: `./${'d'.repeat(4095)}/` }, type: '5' }]), []);
  t.deepEqual(faultsOf([{ name: 'a', pax: { path: `${long}aaa` } }]), [
    'layer.long: a name has 4099 bytes, and the longest that a system takes has 4095',
  ]);
  t.deepEqual(faultsOf([{ name: 'a', type: '2', pax: { linkpath: 'x'.repeat(2 ** 22) } }]), [
    'layer.long: a target has 4194304 bytes, and the longest that a system takes has 4095',
  ]);
});

test('of more names than can be held the first are examined, and that is told once', (t) => {
  const entries = [{ name: 'a' }, { name: 'a' }, link('b', 'c'), { name: 'c' }, { name: 'd/e' }];
  const large = (count: number): string =>
    `layer.large: it has more names than can be held at once: what follows its first ${count} entries is not examined`;
  const twice = "layer.duplicate: '/a' is there twice, here as 'a'";
  t.deepEqual(faultsOf(entries, true, undefined, { names: 3, bytes: 1000 }), [twice, large(3)]);
  t.deepEqual(faultsOf(entries, true, undefined, { names: 1000, bytes: 3 }), [twice, large(2)]);
});

const FAULTS: readonly (readonly [string, readonly RawEntry[], readonly string[]])[] = [
  [
    'a path in three spellings',
    [{ name: './a' }, { name: 'a' }, directory('.//a/./')],
    ["layer.duplicate: '/a' is there twice, here as 'a'", "layer.duplicate: '/a' is there twice, here as './/a/./'"],
  ],
  ['the root twice', [directory('./'), directory('.')], ["layer.duplicate: the root is there twice, here as '.'"]],
  ['a root that is a link', [{ name: './', type: '2', link: '/' }], ['layer.root: the root is not a directory']],
  ['an absolute name', [{ name: '/etc' }], ["layer.absolute: the name '/etc' is absolute"]],
  ['a name that climbs', [{ name: 'a/../../b' }], ["layer.outside: the name 'a/../../b' holds '..'"]],
  ['no name', [{ name: '' }], ['layer.name: an entry has no name']],
  [
    'links to nothing, to itself, outside',
    [link('a', 'b'), link('c', 'c'), link('d', '../d'), link('e', '/a'), link('f', '')],
    [
      "layer.link-dangling: '/c' is a hard link to itself",
      "layer.outside: the target '../d' of the hard link 'd' holds '..'",
      "layer.absolute: the target '/a' of the hard link 'e' is absolute",
      "layer.name: the target '' of the hard link 'f' is empty",
      "layer.link-dangling: '/a' is a hard link to '/b', which is not here",
    ],
  ],
  [
    'a link before its target',
    [link('a', 'b'), { name: 'b' }],
    ["layer.link-early: '/a' is a hard link to '/b', which comes after it"],
  ],
  [
    'a link to a directory',
    [directory('d'), link('a', 'd')],
    ["layer.link: '/a' is a hard link to '/d', which is a directory"],
  ],
  ['a symbolic link to nothing', [{ name: 's', type: '2' }], ["layer.link: '/s' leads nowhere"]],
  [
    'no parents, each named once',
    [{ name: 'a/b/c' }, { name: 'a/b/d' }],
    [
      "layer.parent: '/a/b/c' is here, and its directory '/a/b' is not",
      "layer.parent: '/a/b/c' is here, and its directory '/a' is not",
    ],
  ],
  [
    'a parent that is a file',
    [{ name: 'a' }, { name: 'a/b' }],
    ["layer.parent: '/a/b' lies under '/a', which is not a directory"],
  ],
  [
    'types that have no place in an image',
    ['S', 'D', 'V', 'M', 'N', 'Z', '\x1b'].map((type, index) => ({ name: `f${index}`, type })),
    [
      "layer.type: 'f0' is an old GNU sparse file (type 'S')",
      "layer.type: 'f1' is a GNU dump directory (type 'D')",
      "layer.type: 'f2' is a GNU volume label (type 'V')",
      "layer.type: 'f3' is the rest of a file from another volume (type 'M')",
      "layer.type: 'f4' is an old GNU list of names (type 'N')",
      "layer.type: 'f5' is of the unknown type 'Z'",
      "layer.type: 'f6' is of the unknown type '\\x1b'",
    ],
  ],
  [
    'a sparse file',
    [{ name: 'a', pax: { 'GNU.sparse.major': '1' } }],
    ["layer.sparse: 'a' is stored as a sparse file, which not all can read"],
  ],
  [
    'a whiteout in the lowest layer',
    [{ name: '.wh.a' }],
    ["layer.whiteout: '/.wh.a' hides something, and no layer lies below"],
  ],
];
for (const [what, entries, faults] of FAULTS) {
  test(`fault: ${what}`, (t) => {
    t.deepEqual(faultsOf(entries), faults);
  });
}

test('faults of whiteouts above another layer', (t) => {
  t.deepEqual(
    faultsOf(
      [
        { name: '.wh.a', content: 'not empty' },
        { name: '.wh.b', type: '2', link: 'b' },
        { name: '.wh.' },
        { name: '.wh...' },
        { name: '.wh..wh.plnk', type: '5' },
        { name: 'c' },
        { name: '.wh.c' },
        link('d', '.wh.c'),
      ],
      false,
    ),
    [
      "layer.whiteout: '/.wh.a' is a whiteout and not an empty file",
      "layer.whiteout: '/.wh.b' is a whiteout and not an empty file",
      "layer.whiteout: '/.wh.' is a whiteout of nothing that can be",
      "layer.whiteout: '/.wh...' is a whiteout of nothing that can be",
      "layer.whiteout: '/.wh..wh.plnk' is a whiteout of nothing that can be",
      "layer.whiteout: '/.wh..wh.plnk' is a whiteout and not an empty file",
      "layer.link: '/d' is a hard link to '/.wh.c', which is a whiteout",
      "layer.whiteout: '/c' and its whiteout are in the same layer",
    ],
  );
});

test('hostile names are shown escaped', (t) => {
  t.deepEqual(faultsOf([{ name: '/\x1b[2Jx\xff' }]), ["layer.absolute: the name '/\\x1b[2Jx\\xff' is absolute"]);
});
