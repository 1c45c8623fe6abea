/** What a layer may not hold, and what becomes of what it may. */
import { execFileSync } from 'node:child_process';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { LayerChecker } from '../../src/runtime/layer-checker.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';

/** Feeds an archive in pieces of one size. */
function check(archive: Buffer, size = archive.length): { bytes: Buffer; opaque: string[] } {
  const checker = new LayerChecker();
  const out: Buffer[] = [];
  for (let at = 0; at < archive.length; at += size)
    out.push(...checker.push(archive.subarray(at, at + size)).map(Buffer.from));
  out.push(checker.end());
  return { bytes: Buffer.concat(out), opaque: [...checker.opaque] };
}

const DIRECTORY: RawEntry = { name: './', type: '5' };

/** GNU's sparse format 1.0. */
const SPARSE = { 'GNU.sparse.major': '1', 'GNU.sparse.minor': '0', 'GNU.sparse.realsize': '1' };

for (const [what, entry] of [
  ['an absolute name', { name: '/etc/x' }],
  ["a name with '..'", { name: 'a/../../x' }],
  ["a name that is '..'", { name: '..', type: '5' }],
  ['an absolute name in an extended header', { name: 'x', pax: { path: '/etc/x' } }],
  ["'..' in an extended header", { name: 'x', pax: { path: 'a/../x' } }],
  ['no name', { name: '' }],
  ['a root that is a file', { name: './' }],
  ['a root that is a link', { name: '.', type: '2', link: '/etc' }],
  ['a hard link that climbs', { name: 'x', type: '1', link: '../../etc/shadow' }],
  ['a hard link that climbs, in an extended header', { name: 'x', type: '1', link: 'y', pax: { linkpath: '../y' } }],
  ['a hard link to nothing', { name: 'x', type: '1' }],
  ["GNU's sparse files", { name: 'x', type: 'S' }],
  ['a sparse file of an unknown format', { name: 'x', pax: { 'GNU.sparse.major': '1' } }],
  ['a sparse file with a name that climbs', { name: 'x', pax: { ...SPARSE, 'GNU.sparse.name': '../etc/shadow' } }],
  ['a sparse file with two names', { name: 'x', pax: { ...SPARSE, 'GNU.sparse.name': './y', path: 'z' } }],
  ["GNU's multi-volume files", { name: 'x', type: 'M' }],
  ['a whiteout of no name', { name: 'a/.wh.' }],
  ["a whiteout of '..'", { name: 'a/.wh...' }],
  ['content in a link, by an extended header', { name: 'x', type: '2', link: 'y', pax: { size: '512' } }],
] as const satisfies readonly (readonly [string, RawEntry])[]) {
  test(`${what} is refused`, (t) => {
    const error = t.throws(() => check(rawTar([DIRECTORY, entry])), { instanceOf: P2cError });
    t.is(error?.code, 'layer.refused');
  });
}

test('a wrong checksum and a cut archive are refused', (t) => {
  const archive = rawTar([DIRECTORY, { name: 'file', content: 'x'.repeat(600) }]);
  const damaged = Buffer.from(archive);
  damaged.writeUInt8((damaged[512] ?? 0) ^ 1, 512);
  t.is(t.throws(() => check(damaged), { instanceOf: P2cError })?.code, 'layer.refused');
  for (const length of [1, 511, 513, 1024 - 1, 1024 + 10, 1024 + 600, 2047]) {
    t.is(
      t.throws(() => check(archive.subarray(0, length)), { instanceOf: P2cError })?.code,
      'layer.refused',
      `${length}`,
    );
  }
});

test('what is harmless passes byte for byte, in pieces of any size', (t) => {
  const archive = rawTar([
    DIRECTORY,
    { name: './bin', type: '5' },
    { name: './bin/a', content: 'content'.repeat(200), pax: { 'SCHILY.xattr.security.capability': '\u0001\u0002' } },
    { name: './bin/b', type: '2', link: '/../../etc/passwd' },
    { name: './bin/c', type: '1', link: './bin/a' },
    { name: './tty', type: '3', device: [5, 0] },
    { name: `./${'d'.repeat(90)}`, pax: { path: `./${'long/'.repeat(60)}x` }, content: 'y' },
  ]);
  for (const size of [1, 7, 511, 512, 513, 4096, archive.length])
    t.deepEqual(check(archive, size).bytes, archive, `${size}`);
});

test('an attribute by which overlayfs steers itself does not pass, those beside it do', (t) => {
  const { bytes } = check(
    rawTar([
      DIRECTORY,
      {
        name: './d',
        type: '5',
        pax: { 'SCHILY.xattr.trusted.overlay.redirect': '/etc', 'SCHILY.xattr.user.mine': 'kept' },
      },
      { name: './e', pax: { 'SCHILY.xattr.trusted.overlay.metacopy': 'x' } },
    ]),
  );
  t.false(bytes.includes('trusted.overlay'));
  t.true(bytes.includes('SCHILY.xattr.user.mine=kept'));
});

test('whiteouts become devices 0:0, and opaque directories are told', (t) => {
  const { bytes, opaque } = check(
    rawTar([
      DIRECTORY,
      { name: './etc', type: '5' },
      { name: './etc/.wh.gone' },
      { name: './var', type: '5', mode: 0o711 },
      { name: './var/.wh..wh..opq' },
      { name: './unseen/.wh..wh..opq' },
      { name: './etc/.wh..wh.plnk', type: '5' },
    ]),
  );
  t.deepEqual(opaque.sort(), ['/unseen', '/var']);
  t.false(bytes.includes('.wh.'));
  t.true(bytes.includes('path=./etc/gone\n'));
  t.is(bytes.toString('latin1').split('SCHILY.xattr.trusted.overlay.opaque=y\n').length - 1, 2);
});

test('in a user namespace device nodes are left out and counted, with what links to them; marks are of the kind that a user may set', (t) => {
  const checker = new LayerChecker(undefined, true);
  const archive = rawTar([
    DIRECTORY,
    { name: './a/', type: '5' },
    { name: './a/.wh..wh..opq' },
    { name: './a/null', type: '3', device: [1, 3] },
    { name: './a/disk', type: '4', device: [8, 0] },
    { name: './a/again', type: '1', link: 'a/null' },
    { name: './a/pipe', type: '6' },
    { name: './a/file', content: 'kept' },
    { name: './a/.wh.gone' },
  ]);
  const bytes = Buffer.concat([...checker.push(archive), checker.end()]);
  t.is(checker.leftOut, 3);
  const names = execFileSync('tar', ['-tf', '-'], { input: bytes, encoding: 'utf8' }).trim().split('\n');
  t.deepEqual(names, ['./', './a/', './a/', './a/pipe', './a/file', './a/gone']);
  t.true(bytes.includes('SCHILY.xattr.user.overlay.opaque=y'));
  t.false(bytes.includes('trusted.overlay'));
  t.is(check(archive).bytes.includes('SCHILY.xattr.trusted.overlay.opaque=y'), true);
});

test('a file whose name ends with a slash is a folder to GNU tar: with content it is refused', (t) => {
  const planted = rawTar([{ name: './planted' }])
    .subarray(0, 512)
    .toString('latin1');
  for (const type of ['0', '7', '\0']) {
    const pax = { path: './long/' };
    for (const entry of [
      { name: './x/', type },
      { name: './x', type, pax },
    ]) {
      t.throws(() => check(rawTar([DIRECTORY, { ...entry, content: planted }])), { message: /name ends with '\/'/ });
      const { opaque } = check(rawTar([DIRECTORY, entry, { name: `${entry.pax?.path ?? './x/'}.wh..wh..opq` }]));
      t.is(opaque.length, 1);
    }
  }
});
