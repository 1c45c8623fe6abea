/** The store on a filesystem that is full, and on one that cannot be written. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { constants, mkdirSync, readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { P2cError, systemCode } from '../../src/errors.ts';
import { borrowPageBuffer, returnPageBuffer } from '../../src/oci/page-buffers.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const MEGABYTE = 1024 * 1024;

/** A filesystem of its own: by default one of four megabytes. */
async function mounted(t: ExecutionContext, type: readonly string[] = ['tmpfs', '-o', 'size=4m']): Promise<string> {
  const disk = join(await temporaryFolder(t), 'disk');
  mkdirSync(disk);
  await run('mount', ['-t', ...type, 'disk', disk]);
  // Before the folder itself is removed: teardowns run from the last to the first.
  t.teardown(() => run('umount', [disk]));
  return disk;
}

async function add(store: ImageStore, name: string, megabytes: number): Promise<void> {
  await using blob = await store.createBlob();
  const content = randomBytes(MEGABYTE * megabytes)
    .toString('hex')
    .slice(0, MEGABYTE * megabytes);
  await blob.write([rawTar([{ name, content }])]);
  const { digest, size } = await blob.commit();
  await store.addImage({
    reference: parseReference(name),
    layers: [{ mediaType: MediaType.layerTar, digest, diffID: digest, size }],
    config: { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [digest] } },
  });
}

test('a full disk: how much is free and what to do is told, the images before stay, and the space is given back', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['mount'])) return;
  const root = join(await mounted(t), 'store');
  {
    await using store = await ImageStore.open(root, { create: true });
    await add(store, 'before', 1);
    const error = await t.throwsAsync(add(store, 'large', 8), { instanceOf: P2cError, code: 'store.full' });
    t.regex(error?.message ?? '', /\/tmp\/blob-.* \(\d+ bytes are free on its filesystem\)$/);
    t.regex(String(error?.hint), /p2c image rm/);
    // What failed gave each of its buffers back once: none is lent to two.
    const lent = Array.from({ length: 16 }, borrowPageBuffer);
    t.is(new Set(lent).size, lent.length);
    lent.forEach(returnPageBuffer);
    t.regex(String(error?.cause), /ENOSPC/);
    t.deepEqual(
      (await store.list()).map(({ reference }) => reference),
      ['before:latest'],
    );
    await add(store, 'after', 1);
  }
  t.deepEqual(readdirSync(join(root, 'tmp')), []);
  const { faults, images } = await validateLayout(root);
  t.deepEqual([faults, images], [[], 2]);
});

test('a disk that is full to the last byte: an image cannot be removed, says why, and stays whole', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['mount', 'dd'])) return;
  const disk = await mounted(t);
  const root = join(disk, 'store');
  {
    await using store = await ImageStore.open(root, { create: true });
    await add(store, 'lab', 1);
  }
  await t.throwsAsync(run('dd', ['if=/dev/zero', `of=${disk}/filler`, 'bs=4096']), { message: /No space left/ });
  const store = await ImageStore.open(root);
  const outcome = await store.remove('lab').then(
    ({ untagged }) => untagged.join(),
    (error: unknown) => (error instanceof P2cError ? error.code : String(error)),
  );
  // tmpfs has no byte left for the new index: the image stays whole, and the error says why.
  t.is(outcome, 'store.full');
  t.deepEqual((await validateLayout(root)).faults, []);
  t.is((await store.list()).length, 1);
});

test('a read-only disk: images can be listed, and what cannot be written is told', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['mount'])) return;
  const disk = await mounted(t);
  const root = join(disk, 'store');
  {
    await using store = await ImageStore.open(root, { create: true });
    await add(store, 'lab', 1);
  }
  await run('mount', ['-o', 'remount,ro', disk]);
  const store = await ImageStore.open(root);
  t.is((await store.find('lab')).reference, 'lab:latest');
  await t.throwsAsync(store.createBlob(), { instanceOf: P2cError, code: 'store.denied', message: /EROFS/ });
  await t.throwsAsync(ImageStore.open(join(disk, 'other'), { create: true }), {
    instanceOf: P2cError,
    code: 'store.denied',
  });
  t.deepEqual((await validateLayout(root)).faults, []);
});

test('a filesystem that allows no writing past its cache', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['mount'])) return;
  const root = join(await mounted(t, ['ramfs']), 'store');
  const refused = await t.throwsAsync(
    open(join(root, '..', 'x'), constants.O_CREAT | constants.O_WRONLY | constants.O_DIRECT),
  );
  t.is(systemCode(refused), 'EINVAL', 'what this test needs');
  await using store = await ImageStore.open(root, { create: true });
  await add(store, 'large', 9);
  const { faults, images } = await validateLayout(root);
  t.deepEqual([faults, images], [[], 1]);
});
