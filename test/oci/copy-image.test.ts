import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import type { Image } from '../../src/oci/image.ts';
import { pinnedLayout } from '../../src/oci/pinned-layout.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const never = new AbortController().signal;
const code = (wanted: string) => ({ instanceOf: P2cError, code: wanted });

/** An image of two layers, with an artifact of one. */
async function add(root: string, name: string): Promise<Image> {
  await using store = await ImageStore.open(root, { create: true });
  const stored = await Promise.all(
    ['first', 'second', 'beside'].map(async (what) => {
      await using blob = await store.createBlob();
      await blob.write([rawTar([{ name: `${what} of ${name}` }])]);
      const { digest, size } = await blob.commit();
      return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
    }),
  );
  const layers = stored.slice(0, 2);
  const diffIDs = layers.map(({ diffID }) => diffID);
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: diffIDs } };
  const artifact = { artifactType: 'application/vnd.example.note', layers: stored.slice(2), annotations: {} };
  return await store.addImage({ reference: { name }, layers, config, artifacts: [artifact] });
}

interface Scene {
  readonly here: string;
  readonly there: string;
  readonly image: Image;
}

async function scene(t: ExecutionContext): Promise<Scene> {
  const folder = await temporaryFolder(t);
  const here = join(folder, 'here');
  return { here, there: join(folder, 'there'), image: await add(here, 'lab') };
}

/** The copying, held up in the midst of it by a blob that does not come before `meanwhile` is done. */
async function copyDuring({ here, there, image }: Scene, meanwhile: () => Promise<void>): Promise<void> {
  const store = await ImageStore.open(here);
  const [first, last] = image.manifest.layers;
  if (first === undefined || last === undefined) throw new Error('the image has two layers');
  const file = store.blobPath(last.digest);
  const bytes = readFileSync(file);
  rmSync(file);
  execFileSync('mkfifo', [file]);
  const copied = store.copyTo({ folder: there, name: 'lab' }, image, never);
  const other = await ImageStore.open(there, { create: true });
  while (!existsSync(other.blobPath(first.digest))) await pause(5);
  await meanwhile();
  await writeFile(file, bytes);
  await copied;
}

async function namesAt(root: string): Promise<(string | undefined)[]> {
  return (await (await ImageStore.open(root)).list()).map(({ reference }) => reference).sort();
}

test('what goes into a store in use is left alone by who collects there, and what comes there meanwhile stays', async (t) => {
  const made = await scene(t);
  await add(made.there, 'old');
  await copyDuring(made, async () => {
    await (await ImageStore.open(made.there)).remove('old');
    await add(made.there, 'new');
  });
  t.deepEqual(await namesAt(made.there), ['lab', 'new']);
  const { faults, images } = await validateLayout(made.there);
  t.deepEqual([faults, images], [[], 2]);
  const there = await ImageStore.open(made.there);
  t.is((await there.artifactsOf(await there.find('lab'))).length, 1);
});

test('an image that is removed while it is copied arrives whole, and what describes it with it', async (t) => {
  const made = await scene(t);
  await copyDuring(made, async () => {
    await (await ImageStore.open(made.here)).remove('lab');
  });
  const there = await ImageStore.open(made.there);
  const image = await there.find('lab');
  t.is(image.digest, made.image.digest);
  t.is((await there.artifactsOf(image)).length, 1);
  t.deepEqual((await validateLayout(made.there)).faults, []);
});

test('what is there in part is copied anew; a name there goes to the image, and others of it stay', async (t) => {
  const { here, there, image } = await scene(t);
  const store = await ImageStore.open(here);
  await add(there, 'lab');
  await store.copyTo({ folder: there, name: 'again' }, image, never);
  const [layer] = image.manifest.layers;
  if (layer === undefined) return t.fail();
  truncateSync((await ImageStore.open(there)).blobPath(layer.digest), 7);
  await add(there, 'old');
  await store.copyTo({ folder: there, name: 'old' }, image, never);
  t.deepEqual(await namesAt(there), ['again', 'lab', 'old']);
  t.deepEqual((await validateLayout(there)).faults, []);
});

test('a damaged blob goes nowhere, and no index names it', async (t) => {
  const { here, there, image } = await scene(t);
  const store = await ImageStore.open(here);
  appendFileSync(store.blobPath(image.configDigest), ' ');
  const error = await t.throwsAsync(store.copyTo({ folder: there, name: 'lab' }, image, never), code('store.invalid'));
  t.regex(error?.message ?? '', /is damaged: its \d+ bytes/);
  t.deepEqual(await namesAt(there), []);
});

test('an interruption ends it, and nothing that is half there is named', async (t) => {
  const made = await scene(t);
  const store = await ImageStore.open(made.here);
  const ended = AbortSignal.abort(new P2cError('interrupted', { code: 'interrupted' }));
  await t.throwsAsync(store.copyTo({ folder: made.there, name: 'lab' }, made.image, ended), code('interrupted'));
  t.deepEqual(await namesAt(made.there), []);
});

test('where no layout can be, that is told of the folder that was named', async (t) => {
  const { here, image } = await scene(t);
  const copied = (await ImageStore.open(here)).copyTo({ folder: '/proc/none', name: 'lab' }, image, never);
  const error = await t.throwsAsync(copied, code('export.failed'));
  t.regex(error?.message ?? '', /no layout can be at \/proc\/none/);
});

test('a pinned layout has the one image, wherever its name goes, and nothing of it stays', async (t) => {
  const { here, image } = await scene(t);
  const place = await (async () => {
    await using pinned = await pinnedLayout(here, image.digest, 'lab');
    const store = await ImageStore.open(here);
    await using _ = await store.use(image);
    await store.remove('lab');
    const there = await ImageStore.open(pinned.root);
    t.is((await there.find('lab')).digest, image.digest);
    t.is((await there.list()).length, 1);
    t.deepEqual((await validateLayout(pinned.root)).faults, []);
    return pinned.root;
  })();
  t.false(existsSync(place));
});
