/** Layers unpacked for real: hostile ones reach nothing outside, honest ones arrive as they are. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { lstat, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { unpackLayer } from '../../src/runtime/snapshot.ts';
import { type RawEntry, rawTar } from '../helpers/raw-tar.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { sha256 } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Ground {
  readonly folder: string;
  /** A folder outside the store with one file, `file`, that nobody may change. */
  readonly canary: string;
  unpack(layer: Buffer, mediaType?: string): Promise<string>;
}

async function makeGround(t: ExecutionContext): Promise<Ground> {
  const folder = await temporaryFolder(t);
  const canary = join(folder, 'canary');
  mkdirSync(canary);
  writeFileSync(join(canary, 'file'), 'untouched');
  return {
    folder,
    canary,
    async unpack(layer, mediaType = MediaType.layerTar) {
      const blobPath = join(folder, 'blob');
      writeFileSync(blobPath, layer);
      return (await unpackLayer(folder, { digest: sha256(layer), mediaType, blobPath })).folder;
    },
  };
}

/** What a hostile layer tried to reach is as it was, nothing came to be beside it, and no mount stays. */
function assertUntouched(t: ExecutionContext, { canary, folder }: Ground): void {
  t.false(readFileSync('/proc/self/mounts', 'utf8').includes(folder));
  t.is(readFileSync(join(canary, 'file'), 'utf8'), 'untouched');
  t.deepEqual(readdirSync(canary), ['file']);
}

const ROOT: RawEntry = { name: './', type: '5' };

/** Layers that pass the checks, or would on another day: the place they are unpacked in must hold them all the same. */
const ESCAPES: Readonly<Record<string, (canary: string) => RawEntry[]>> = {
  'a file through a link': (canary) => [
    { name: './out', type: '2', link: canary },
    { name: './out/file', content: 'overwritten' },
    { name: './out/new', content: 'planted' },
  ],
  'a file through a link that climbs': (canary) => [
    { name: './out', type: '2', link: `${'../'.repeat(30)}${canary.slice(1)}` },
    { name: './out/file', content: 'overwritten' },
  ],
  'a file through two links': (canary) => [
    { name: './a', type: '2', link: '/' },
    { name: './b', type: '2', link: `a${canary}` },
    { name: './b/file', content: 'overwritten' },
  ],
  'a hard link to a link, written through': (canary) => [
    { name: './a', type: '2', link: `${canary}/file` },
    { name: './b', type: '1', link: './a' },
    { name: './b', content: 'overwritten' },
  ],
  'a hard link out': (canary) => [
    { name: './b', type: '1', link: `${canary}/file` },
    { name: './b', content: 'overwritten' },
  ],
  'a directory that becomes a link': (canary) => [
    { name: './d', type: '5' },
    { name: './d', type: '2', link: canary },
    { name: './d/file', content: 'overwritten' },
  ],
  'attributes of a directory through a link': (canary) => [
    { name: './d', type: '2', link: canary },
    { name: './d/', type: '5', mode: 0o777 },
    { name: './d/.wh.file' },
  ],
  'a whiteout through a link': (canary) => [
    { name: './d', type: '2', link: canary },
    { name: './d/.wh.file' },
    { name: './d/.wh..wh..opq' },
  ],
  'this process by /proc': () => [
    { name: './p', type: '2', link: '/proc/self/root' },
    { name: './p/tmp/p2c-planted', content: 'planted' },
    { name: './q', type: '2', link: '/proc/1/cwd' },
    { name: './q/p2c-planted', content: 'planted' },
  ],
};

for (const [what, entries] of Object.entries(ESCAPES)) {
  test(`${what} reaches nothing outside`, async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar'])) return;
    const ground = await makeGround(t);
    const mode = (await lstat(ground.canary)).mode;
    // Whether tar gives up or makes something harmless of it is its own affair.
    await t.notThrowsAsync(ground.unpack(rawTar([ROOT, ...entries(ground.canary)])).catch(expected));
    assertUntouched(t, ground);
    t.is((await lstat(ground.canary)).mode, mode);
    t.false(existsSync('/tmp/p2c-planted'));
    t.false(existsSync('/p2c-planted'));
  });
}

function expected(error: unknown): void {
  if (!(error instanceof P2cError)) throw error;
}

test('a refused or damaged layer leaves nothing behind', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar'])) return;
  const ground = await makeGround(t);
  const refused = await t.throwsAsync(ground.unpack(rawTar([ROOT, { name: './a', content: 'a' }, { name: '/b' }])));
  t.true(refused instanceof P2cError && refused.code === 'layer.refused');
  const layer = rawTar([ROOT, { name: './a', content: 'a' }]);
  writeFileSync(join(ground.folder, 'blob'), layer);
  const wrong = {
    digest: sha256(Buffer.from('other')),
    mediaType: MediaType.layerTar,
    blobPath: join(ground.folder, 'blob'),
  };
  const damaged = await t.throwsAsync(unpackLayer(ground.folder, wrong));
  t.true(damaged instanceof P2cError && damaged.code === 'layer.digest', String(damaged));
  const missing = await t.throwsAsync(unpackLayer(ground.folder, { ...wrong, blobPath: join(ground.folder, 'none') }));
  t.true(missing instanceof P2cError, String(missing));
  t.deepEqual(readdirSync(join(ground.folder, 'snapshots/sha256')), []);
});

test('a layer arrives as tar wrote it: attributes, ids, times, links', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar', 'setfattr', 'getfattr'])) return;
  const ground = await makeGround(t);
  const tree = join(ground.folder, 'tree');
  mkdirSync(join(tree, 'dir'), { recursive: true });
  writeFileSync(join(tree, 'dir/ping'), 'program');
  const script = `
    cd "$1"
    printf x > "$(printf 'odd\\377name')"
    ln dir/ping hard
    ln -s /etc/passwd soft
    mkfifo pipe
    mknod tty c 5 0
    chown 3000000:3000001 dir/ping
    chmod 4751 dir/ping
    setfattr -n security.capability -v 0x0100000200200000000000000000000000000000 dir/ping
    setfattr -n user.binary -v 0x00ff0a3d00 dir
    touch -h -d '2001-02-03 04:05:06.123456789Z' dir/ping soft
    chmod 1777 dir
  `;
  execFileSync('sh', ['-ec', script, 'sh', tree]);
  const layer = execFileSync('tar', [
    '--format=pax',
    '--numeric-owner',
    '--xattrs',
    '--xattrs-include=*',
    '-C',
    tree,
    '-cf',
    '-',
    '.',
  ]);
  const unpacked = await ground.unpack(layer);
  t.is(describe(unpacked), describe(tree));
});

/** One line a path: everything that a layer is to keep. */
function describe(tree: string): string {
  const find = ['.', '-not', '-path', '.', '-printf', '%P %y %m %U %G %s %T@ %l %n\\n'];
  const files = execFileSync('find', find, { cwd: tree, encoding: 'latin1' });
  const attributes = execFileSync('getfattr', ['-R', '-h', '-m', '-', '-e', 'hex', '-d', '.'], {
    cwd: tree,
    encoding: 'latin1',
  });
  const directories = /^(\S+ d [0-7]+ \d+ \d+) \d+ /gm;
  return `${files.replaceAll(directories, '$1 ').split('\n').sort().join('\n')}\n${attributes.split('\n\n').sort().join('\n\n')}`;
}

test('a compressed layer is unpacked, one of an unknown type is refused', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar'])) return;
  const ground = await makeGround(t);
  const layer = gzipSync(rawTar([ROOT, { name: './a', content: 'packed' }]));
  t.is(readFileSync(join(await ground.unpack(layer, MediaType.layerGzip), 'a'), 'utf8'), 'packed');
  const other = rawTar([ROOT]);
  const error = await t.throwsAsync(ground.unpack(other, `${MediaType.layerTar}+zstd`));
  t.true(error instanceof P2cError && error.code === 'layer.type');
});

test('whoever unpacks one layer at the same time gets it whole, and it is there once', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar'])) return;
  const ground = await makeGround(t);
  const files = Array.from({ length: 300 }, (_, at) => ({ name: `./f${at}`, content: `${at}` }));
  const layer = rawTar([ROOT, ...files]);
  const folders = await Promise.all(Array.from({ length: 4 }, () => ground.unpack(layer)));
  t.is(new Set(folders).size, 1);
  t.is(readdirSync(folders[0] ?? '').length, 300);
  t.deepEqual(readdirSync(join(ground.folder, 'snapshots/sha256')).length, 1);
});

test('what a killed unpacking left is never used, and goes with the next one', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['unshare', 'tar'])) return;
  const ground = await makeGround(t);
  const first = await ground.unpack(rawTar([ROOT, { name: './a', content: 'a' }]));
  const snapshots = join(ground.folder, 'snapshots/sha256');
  // As if the process 1 of another boot had been at it.
  await rename(join(first, '..'), join(snapshots, '.unpack-1-99-XXXXXX'));
  const again = await ground.unpack(rawTar([ROOT, { name: './a', content: 'a' }]));
  t.is(readFileSync(join(again, 'a'), 'utf8'), 'a');
  t.is(readdirSync(snapshots).length, 1);
});
