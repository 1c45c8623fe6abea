/** An adaptation as part of an image of a store: what becomes of the rest of the image, and of what others do meanwhile. */
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { adaptImage } from '../../src/adapt/image.ts';
import { P2cError } from '../../src/errors.ts';
import type { Image } from '../../src/oci/image.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { type ImageConfig, MediaType } from '../../src/oci/spec.ts';
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
