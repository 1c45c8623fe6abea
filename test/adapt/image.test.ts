/** An adaptation as part of an image of a store: what becomes of the rest of the image, and of what others do meanwhile. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { adaptImage } from '../../src/adapt/image.ts';
import { P2cError } from '../../src/errors.ts';
import type { Image } from '../../src/oci/image.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { type ImageConfig, MediaType, REF_NAME } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateImage } from '../../src/oci/validation/layout.ts';
import { withFields } from '../../src/tar/header.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const WHEN = new Date('2026-01-02T03:04:05Z');
const OPTIONS = { without: [], when: WHEN };
/** An old Debian, as far as recipes need it. */
const SYSTEM = rawTar([
  { name: './', type: '5' },
  { name: './etc/', type: '5' },
  { name: './etc/debian_version', content: '6.0\n' },
  { name: './etc/fstab', content: '/dev/sda1 / ext3 defaults 0 1\n' },
]);

async function storeOf(t: ExecutionContext): Promise<ImageStore> {
  return ImageStore.open(join(await temporaryFolder(t), 'store'), { create: true });
}

async function add(store: ImageStore, name: string, tar: Buffer, config: Partial<ImageConfig> = {}): Promise<Image> {
  await using blob = await store.createBlob();
  await blob.write([tar]);
  const { digest, size } = await blob.commit();
  const layer = { mediaType: MediaType.layerTar, digest, diffID: digest, size };
  return store.addImage({
    reference: parseReference(name),
    layers: [layer],
    config: {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: [digest] },
      history: [{ created_by: 'a test' }],
      ...config,
    },
  });
}

test('an adaptation is renewed also where another tool wrote history after it: the history stays true', async (t) => {
  await using store = await storeOf(t);
  const { image } = await adaptImage(store, await add(store, 'lab', SYSTEM), parseReference('lab'), OPTIONS);
  t.is(image.manifest.layers.length, 2);
  // As `umoci config` does.
  const { manifest, config } = image;
  const changed = await store.addImage({
    reference: parseReference('changed'),
    layers: manifest.layers.flatMap((layer, at) => {
      const diffID = config.rootfs.diff_ids[at];
      return diffID === undefined ? [] : [{ ...layer, diffID }];
    }),
    config: { ...config, history: [...(config.history ?? []), { created_by: 'umoci config', empty_layer: true }] },
  });
  const again = await adaptImage(store, changed, parseReference('changed'), OPTIONS);
  t.deepEqual(
    again.image.config.history?.map(({ created_by }) => created_by?.replace(/: .*/, '')),
    ['a test', 'umoci config', 'p2c adapt'],
  );
  t.deepEqual((await validateImage(store.root, 'changed')).faults, []);
});

test('what took the name while the image was adapted stays, and so do its blobs', async (t) => {
  const store = await storeOf(t);
  const old = await add(store, 'lab', SYSTEM);
  const fresh = await add(store, 'fresh', rawTar([{ name: './', type: '5' }]));
  const file = join(store.root, 'index.json');
  const options = {
    without: [],
    /** Asked for when the layer is made, and before the image is published. */
    get when(): Date {
      const index: { manifests: { digest: string; size: number; annotations: Record<string, string> }[] } = JSON.parse(
        readFileSync(file, 'utf8'),
      );
      const moved = index.manifests.find(({ digest }) => digest === fresh.digest);
      const manifests = index.manifests.filter(({ digest }) => digest === fresh.digest);
      if (moved !== undefined) manifests.push({ ...moved, annotations: { [REF_NAME]: 'lab:latest' } });
      writeFileSync(file, JSON.stringify({ ...index, manifests }));
      return WHEN;
    },
  };
  const error = await t.throwsAsync(adaptImage(store, old, { name: 'lab:latest' }, options), {
    instanceOf: P2cError,
    code: 'image.moved',
  });
  t.true(error?.message.includes(fresh.digest));
  await store[Symbol.asyncDispose]();
  t.is((await (await ImageStore.open(store.root)).find('lab')).digest, fresh.digest);
  t.deepEqual((await validateImage(store.root, 'lab')).faults, []);
});

test('an image that was removed, or lost its name, since it was found is told as that', async (t) => {
  await using store = await storeOf(t);
  const old = await add(store, 'lab', SYSTEM);
  await (await ImageStore.open(store.root)).remove('lab');
  await t.throwsAsync(adaptImage(store, old, { name: 'lab:latest' }, OPTIONS), { code: 'image.unknown' });
  await add(store, 'lab', rawTar([{ name: './', type: '5' }]));
  await t.throwsAsync(adaptImage(store, old, { name: 'other:latest' }, OPTIONS), { code: 'image.moved' });
});

test('a name that umoci gave is renewed in place', async (t) => {
  await using store = await storeOf(t);
  const image = await add(store, 'lab', SYSTEM);
  const { config, manifest } = image;
  const layers = manifest.layers.map((layer) => ({ ...layer, diffID: layer.digest }));
  const tagged = await store.addImage({ reference: { name: 'Lab' }, layers, config });
  t.is((await adaptImage(store, tagged, { name: 'Lab' }, OPTIONS)).image.reference, 'Lab');
  t.is((await store.find('Lab')).manifest.layers.length, 2);
});

test('an image whose header has a field that is no number is not adapted, and that is worded', async (t) => {
  await using store = await storeOf(t);
  const bad = Buffer.from(SYSTEM);
  withFields(bad.subarray(0, 512), (copy) => copy.write('nobody', 108, 'latin1')).copy(bad);
  const image = await add(store, 'lab', bad);
  const error = await t.throwsAsync(adaptImage(store, image, parseReference('lab'), OPTIONS), {
    instanceOf: P2cError,
    code: 'adapt.damaged',
  });
  t.regex(error?.message ?? '', /of its layers \(1\) one/);
});
