import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { type Digest, digestOfHex, hexOf } from '../../src/oci/digest.ts';
import type { Image } from '../../src/oci/image.ts';
import type { Layer } from '../../src/oci/layer.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { type ImageConfig, MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function emptyStore(t: ExecutionContext): Promise<ImageStore> {
  return ImageStore.open(join(await temporaryFolder(t), 'store'), { create: true });
}

async function addLayer(store: ImageStore, name: string): Promise<Layer> {
  await using blob = await store.createBlob();
  await blob.write([rawTar([{ name, content: name }])]);
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

async function add(store: ImageStore, name: string, files: readonly string[], created?: string): Promise<Image> {
  const layers: Layer[] = [];
  for (const file of files) layers.push(await addLayer(store, file));
  const diffIDs = layers.map(({ diffID }) => diffID);
  return store.addImage({ reference: parseReference(name), layers, config: configOf(diffIDs, created) });
}

function configOf(diffIDs: Digest[], created: string | undefined): ImageConfig {
  return {
    ...(created === undefined ? {} : { created }),
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIDs },
  };
}

const blobs = (store: ImageStore): string[] => readdirSync(join(store.root, 'blobs/sha256')).sort();
const temporaries = (store: ImageStore): string[] => readdirSync(join(store.root, 'tmp'));
const has = (store: ImageStore, digest: Digest): boolean => existsSync(store.blobPath(digest));
const code = (wanted: string) => ({ instanceOf: P2cError, code: wanted });

/** Puts a JSON document into the store by hand, as another program would. */
function plant(store: ImageStore, document: object): { digest: Digest; size: number } {
  const text = JSON.stringify(document);
  const digest = digestOfHex(createHash('sha256').update(text).digest('hex'));
  writeFileSync(store.blobPath(digest), text);
  return { digest, size: text.length };
}

function plantInIndex(store: ImageStore, descriptor: object): void {
  const file = join(store.root, 'index.json');
  const index: { manifests: object[] } = JSON.parse(readFileSync(file, 'utf8'));
  index.manifests.push(descriptor);
  writeFileSync(file, JSON.stringify(index));
}

test('where no store is, opening says so; creating makes an empty layout', async (t) => {
  const root = join(await temporaryFolder(t), 'deep/store');
  await t.throwsAsync(ImageStore.open(root), code('store.missing'));
  const store = await ImageStore.open(root, { create: true });
  t.deepEqual(await store.list(), []);
  t.deepEqual(JSON.parse(readFileSync(join(root, 'oci-layout'), 'utf8')), { imageLayoutVersion: '1.0.0' });
  t.deepEqual((await validateLayout(root)).faults, []);
  t.deepEqual(await (await ImageStore.open(root)).list(), []);
});

test('a layout that another tool made is a store: its folder of temporaries is missing until p2c writes', async (t) => {
  const store = await emptyStore(t);
  await rm(join(store.root, 'tmp'), { recursive: true });
  const other = await ImageStore.open(store.root);
  t.deepEqual(await other.list(), []);
  await other.locked((collection) => collection.idle());
  await add(other, 'lab', ['a']);
  await other[Symbol.asyncDispose]();
  await rm(join(store.root, 'tmp'), { recursive: true });
  const again = await ImageStore.open(store.root);
  await using _ = await again.use(await again.find('lab'));
  await rm(join(store.root, 'tmp'), { recursive: true });
  t.is((await again.remove('lab')).removedBlobs, 3);
});

test('many who create the same store at once make one', async (t) => {
  const root = join(await temporaryFolder(t), 'store');
  const stores = await Promise.all(Array.from({ length: 8 }, () => ImageStore.open(root, { create: true })));
  await Promise.all(stores.map((store, index) => add(store, `image${index}`, [`file${index}`])));
  for (const store of stores) await store[Symbol.asyncDispose]();
  t.is((await (await ImageStore.open(root)).list()).length, 8);
  const { faults, images } = await validateLayout(root);
  t.deepEqual([faults, images], [[], 8]);
});

test('an image is written as it is read', async (t) => {
  await using store = await emptyStore(t);
  const image = await add(store, 'team/lab:v1', ['a', 'b']);
  t.is(image.reference, 'team/lab:v1');
  t.is(image.size, 4096);
  t.deepEqual(
    image.config.rootfs.diff_ids,
    image.manifest.layers.map(({ digest }) => digest),
  );
  t.deepEqual(await store.find('team/lab:v1'), image);
  t.deepEqual(await store.list(), [image]);
  t.deepEqual(
    await buffer(store.openBlob(image.manifest.layers[0]?.digest ?? image.digest)),
    rawTar([{ name: 'a', content: 'a' }]),
  );
  t.deepEqual((await validateLayout(store.root)).faults, []);
});

test('an image is found by the names, digests and IDs that podman takes', async (t) => {
  await using store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a']);
  const local = await add(store, 'localhost/other:1', ['b']);
  for (const name of ['lab', 'lab:latest', 'localhost/lab', 'localhost/lab:latest', lab.digest, `lab@${lab.digest}`]) {
    t.is((await store.find(name)).digest, lab.digest, name);
  }
  for (const name of [
    'other:1',
    'localhost/other:1',
    hexOf(local.configDigest),
    `sha256:${hexOf(local.configDigest)}`,
  ]) {
    t.is((await store.find(name)).digest, local.digest, name);
  }
  t.is((await store.find(hexOf(lab.configDigest).slice(0, 12))).digest, lab.digest);
  for (const name of ['', 'la', 'lab:v2', hexOf(lab.configDigest).slice(0, 2), `sha256:${'0'.repeat(64)}`, '../lab']) {
    const error = await t.throwsAsync(store.find(name), code('image.unknown'), name);
    t.regex(String(error instanceof P2cError && error.hint), /lab:latest/);
  }
});

test('the name itself goes before the same name with localhost', async (t) => {
  await using store = await emptyStore(t);
  const local = await add(store, 'localhost/lab', ['a']);
  const bare = await add(store, 'lab', ['b']);
  t.is((await store.find('lab')).digest, bare.digest);
  t.is((await store.find('localhost/lab')).digest, local.digest);
});

test('digits that begin two IDs are no answer; a name of such digits is', async (t) => {
  await using store = await emptyStore(t);
  const { diffID } = await addLayer(store, 'a');
  const [one, other] = twins([diffID]);
  const { configDigest } = await add(store, 'one', ['a'], one);
  const prefix = hexOf(configDigest).slice(0, 3);
  t.is(hexOf((await add(store, 'other', ['a'], other)).configDigest).slice(0, 3), prefix);
  await t.throwsAsync(store.find(prefix), code('image.ambiguous'));
  await t.throwsAsync(store.remove(prefix), code('image.ambiguous'));
  const named = await add(store, prefix, ['b']);
  t.is((await store.find(prefix)).digest, named.digest);
});

/** When two images of these layers have to be created for their IDs to begin with the same three digits. */
function twins(diffIDs: Digest[]): [string, string] {
  const byPrefix = new Map<string, string>();
  for (let n = 0; ; n += 1) {
    const created = new Date(n * 1000).toISOString();
    const text = JSON.stringify(configOf(diffIDs, created));
    const prefix = createHash('sha256').update(text).digest('hex').slice(0, 3);
    const twin = byPrefix.get(prefix);
    if (twin !== undefined) return [twin, created];
    byPrefix.set(prefix, created);
  }
}

test('the newest stands first', async (t) => {
  await using store = await emptyStore(t);
  await add(store, 'old', ['a'], '2001-01-01T00:00:00Z');
  await add(store, 'new', ['b'], '2021-01-01T00:00:00Z');
  await add(store, 'undated', ['c']);
  t.deepEqual(
    (await store.list()).map(({ reference }) => reference),
    ['new:latest', 'old:latest', 'undated:latest'],
  );
});

test('a name moves to the new image, and what only the old one had goes when the run ends', async (t) => {
  const store = await emptyStore(t);
  const old = await add(store, 'lab', ['a', 'shared']);
  const now = await add(store, 'lab', ['b', 'shared']);
  t.is((await store.find('lab')).digest, now.digest);
  t.is((await store.list()).length, 1);
  t.true(has(store, old.digest));
  await store[Symbol.asyncDispose]();
  t.false(has(store, old.digest));
  t.is(blobs(store).length, 4);
  t.deepEqual((await validateLayout(store.root)).faults, []);
});

test('removing takes what only this image had, and says how much', async (t) => {
  const store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a', 'shared']);
  const other = await add(store, 'other', ['shared']);
  await store[Symbol.asyncDispose]();
  const before = blobs(store).length;
  const removed = await store.remove('lab');
  t.deepEqual(removed.untagged, ['lab:latest']);
  t.is(removed.removedBlobs, 3);
  t.is(before - blobs(store).length, 3);
  t.true(removed.bytes > 2048);
  t.false(has(store, lab.digest));
  t.is((await store.find('other')).digest, other.digest);
  t.deepEqual((await validateLayout(store.root)).faults, []);
  await t.throwsAsync(store.remove('lab'), code('image.unknown'));
});

test('one of two names is taken away, the image stays; by ID it goes with both', async (t) => {
  const store = await emptyStore(t);
  const image = await add(store, 'one', ['a']);
  await add(store, 'two', ['a']);
  await store[Symbol.asyncDispose]();
  t.deepEqual(await store.namesOf(image), ['one:latest', 'two:latest']);
  t.is(await store.lostWith('one'), undefined);
  t.is(await store.lostWith(image.digest), image.digest);
  t.deepEqual(await store.remove('one'), { untagged: ['one:latest'], removedBlobs: 0, bytes: 0 });
  t.is(await store.lostWith('two'), image.digest);
  await add(store, 'one', ['a']);
  await store[Symbol.asyncDispose]();
  t.deepEqual((await store.remove(hexOf(image.configDigest))).untagged, ['two:latest', 'one:latest']);
  t.deepEqual(blobs(store), []);
});

test('parts of a capture under way are not collected by others', async (t) => {
  const capture = await emptyStore(t);
  const other = await ImageStore.open(capture.root);
  await add(capture, 'shared', ['old']);
  // Again, as a part of the next image: it is there already, and its only image goes meanwhile.
  const layers = [await addLayer(capture, 'part'), await addLayer(capture, 'old')];
  await add(capture, 'barrier', ['x']);
  await other.remove('shared');
  for (const { digest } of layers) t.true(has(capture, digest));
  await capture[Symbol.asyncDispose]();
  for (const { digest } of layers) t.false(has(capture, digest));
  t.deepEqual(temporaries(capture), []);
});

test('what a dead process noted and left behind goes', async (t) => {
  const store = await emptyStore(t);
  const layer = await addLayer(store, 'part');
  await add(store, 'lab', ['a']);
  const dead = 2 ** 22 + 1;
  await store[Symbol.asyncDispose]();
  writeFileSync(store.blobPath(layer.digest), 'left behind');
  writeFileSync(join(store.root, `tmp/uses-${dead}-aa`), `${layer.digest}\n`);
  writeFileSync(join(store.root, `tmp/blob-${dead}-aa`), 'half');
  await mkdir(join(store.root, `tmp/work-${dead}-aa`));
  writeFileSync(join(store.root, `tmp/blob-${process.pid}-aa`), 'alive');
  writeFileSync(join(store.root, 'tmp/something'), 'of nobody');
  await ImageStore.open(store.root, { create: true });
  t.deepEqual(temporaries(store).sort(), [`blob-${process.pid}-aa`, 'something']);
  await store.remove('lab');
  t.deepEqual(blobs(store), []);
});

test('what a holder lets go of is removed with the lock held', async (t) => {
  const store = await emptyStore(t);
  // Many, so that a lock that is given back too early is free before the last of them has gone.
  for (let i = 0; i < 300; i += 1) writeFileSync(store.blobPath(digestOfHex(i.toString(16).padStart(64, '0'))), '');
  const { removedBlobs } = await store.release('nobody');
  t.is(removedBlobs, 300);
});

test('a damaged image is told by name, and can be removed', async (t) => {
  const store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a']);
  await add(store, 'good', ['b']);
  await store[Symbol.asyncDispose]();
  truncateSync(store.blobPath(lab.digest), 10);
  const error = await t.throwsAsync(store.find('lab'), code('store.invalid'));
  t.regex(error?.message ?? '', /manifest of 'lab:latest'/);
  t.is((await store.find('good')).reference, 'good:latest');
  // What the damaged one needs is unknown: nothing may be collected.
  const before = blobs(store);
  await t.throwsAsync(store.remove('good'), code('store.uncollected'));
  await t.throwsAsync(store.find('good'), code('image.unknown'));
  t.deepEqual(blobs(store), before);
  await add(store, 'next', ['c']);
  await store[Symbol.asyncDispose]();
  t.deepEqual((await store.remove('lab')).untagged, ['lab:latest']);
  t.is(blobs(store).length, 3);
  t.deepEqual((await validateLayout(store.root)).faults, []);
});

test('a damaged index or marker is an error with its path', async (t) => {
  const store = await emptyStore(t);
  const index = join(store.root, 'index.json');
  const damages = [
    '',
    '{',
    '[]',
    '{"schemaVersion":1,"manifests":[]}',
    '{"schemaVersion":2,"manifests":[{"digest":"x"}]}',
  ];
  for (const text of damages) {
    await writeFile(index, text);
    const error = await t.throwsAsync(store.list(), code('store.invalid'), text);
    t.true(error?.message.includes(index));
  }
  await rm(index);
  await t.throwsAsync(store.list(), code('store.invalid'));
  await writeFile(join(store.root, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
  await t.throwsAsync(ImageStore.open(store.root), code('store.invalid'));
});

test('what other programs put into the layout stays: fields, indexes of images, artifacts', async (t) => {
  const store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a']);
  await add(store, 'inner', ['b']);
  await store[Symbol.asyncDispose]();
  const file = join(store.root, 'index.json');
  const before: { manifests: { digest: Digest }[] } = JSON.parse(readFileSync(file, 'utf8'));
  // The second image is moved into an index of its own.
  const inner = plant(store, { schemaVersion: 2, mediaType: MediaType.index, manifests: before.manifests.slice(1) });
  const outer = { ...before, 'x-foreign': 1, manifests: before.manifests.slice(0, 1) };
  writeFileSync(file, JSON.stringify(outer));
  plantInIndex(store, { mediaType: MediaType.index, ...inner });
  const empty = plant(store, {});
  const artifact = (subject: object): object => ({
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: 'application/vnd.example.receipt',
    config: { mediaType: 'application/vnd.oci.empty.v1+json', ...empty },
    layers: [{ mediaType: 'application/vnd.oci.empty.v1+json', ...empty }],
    subject,
  });
  const receipt = plant(store, artifact({ mediaType: MediaType.manifest, digest: lab.digest, size: 1 }));
  const elsewhere = { mediaType: MediaType.manifest, digest: `sha256:${'0'.repeat(64)}`, size: 1 };
  const foreign = plant(store, artifact(elsewhere));
  for (const planted of [receipt, foreign]) plantInIndex(store, { mediaType: MediaType.manifest, ...planted });
  t.deepEqual((await validateLayout(store.root)).faults, []);

  t.deepEqual(
    (await store.list()).map(({ reference }) => reference),
    ['lab:latest'],
  );
  await t.throwsAsync(store.find(receipt.digest), code('image.unknown'));
  await add(store, 'next', ['c']);
  await store[Symbol.asyncDispose]();
  t.true(has(store, receipt.digest) && has(store, empty.digest));
  t.is(JSON.parse(readFileSync(file, 'utf8'))['x-foreign'], 1);

  await store.remove('lab');
  t.false(has(store, receipt.digest), 'the receipt went with its image');
  t.true(has(store, foreign.digest), 'the other stays');
  t.deepEqual((await validateLayout(store.root)).faults, []);
});

test('Docker’s manifests and lists are followed; what is of no type that p2c knows lets nothing be collected', async (t) => {
  const store = await emptyStore(t);
  await add(store, 'lab', ['a']);
  await store[Symbol.asyncDispose]();
  const [config, layer] = [plant(store, { architecture: 'amd64' }), plant(store, { a: 'layer' })];
  const type = 'application/vnd.docker.distribution.manifest';
  const manifest = plant(store, {
    schemaVersion: 2,
    mediaType: `${type}.v2+json`,
    config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...config },
    layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', ...layer }],
  });
  const list = plant(store, {
    schemaVersion: 2,
    mediaType: `${type}.list.v2+json`,
    manifests: [{ mediaType: `${type}.v2+json`, ...manifest }],
  });
  plantInIndex(store, { mediaType: `${type}.list.v2+json`, ...list });
  await store.remove('lab');
  for (const { digest } of [list, manifest, config, layer]) t.true(has(store, digest));

  await add(store, 'lab', ['a']);
  await store[Symbol.asyncDispose]();
  const foreign = plant(store, { blobs: [] });
  plantInIndex(store, { mediaType: 'application/vnd.oci.artifact.manifest.v1+json', ...foreign });
  const needed = plant(store, { needed: 'by it' });
  const before = blobs(store);
  const pruning = store.locked((collection) => collection.removeIdle());
  const error = await t.throwsAsync(pruning, code('store.foreign'));
  t.regex(error?.message ?? '', /'application\/vnd\.oci\.artifact\.manifest\.v1\+json'/);
  const hint = error instanceof P2cError ? error.hint : '';
  t.true(hint?.includes(`'p2c image rm ${foreign.digest}'`));
  t.like(await t.throwsAsync(store.remove('lab'), code('store.uncollected')), { hint });
  await add(store, 'next', ['b']);
  await store[Symbol.asyncDispose]();
  for (const name of before) t.true(blobs(store).includes(name));
  await store.remove(foreign.digest);
  t.false(has(store, needed.digest));
  t.true(has(store, layer.digest));
});

test('an image takes the place of the one that it is to replace, and of no other', async (t) => {
  await using store = await emptyStore(t);
  const old = await add(store, 'lab', ['a']);
  const now = await add(store, 'lab', ['b']);
  const layer = await addLayer(store, 'c');
  const config = configOf([layer.diffID], undefined);
  const next = { reference: parseReference('lab'), layers: [layer], config, replaces: old.digest };
  await t.throwsAsync(store.addImage(next), code('image.moved'));
  t.is((await store.find('lab')).digest, now.digest);
  await store.addImage({ ...next, replaces: now.digest });
  await store.remove('lab');
  const error = await t.throwsAsync(store.addImage(next), code('image.moved'));
  t.regex(error?.message ?? '', /'lab:latest' is gone/);
});

/** An image with an artifact, whose manifest is cut. */
async function withDamagedArtifact(store: ImageStore, name: string): Promise<{ image: Image; artifact: Digest }> {
  const layer = await addLayer(store, name);
  const { mediaType, digest, size } = layer;
  const image = await store.addImage({
    reference: parseReference(name),
    layers: [layer],
    config: configOf([layer.diffID], undefined),
    artifacts: [{ artifactType: 'a/b', layers: [{ mediaType, digest, size }], annotations: {} }],
  });
  const index: { manifests: { digest: Digest; artifactType?: string }[] } = JSON.parse(
    readFileSync(join(store.root, 'index.json'), 'utf8'),
  );
  const artifact = index.manifests.findLast(({ artifactType }) => artifactType === 'a/b')?.digest ?? image.digest;
  truncateSync(store.blobPath(artifact), 10);
  return { image, artifact };
}

test('a damaged artifact is told of its own image, is passed over by the others, and goes with its own', async (t) => {
  const store = await emptyStore(t);
  const good = await add(store, 'good', ['a']);
  const { image, artifact } = await withDamagedArtifact(store, 'bad');
  await store[Symbol.asyncDispose]();
  t.deepEqual(await store.artifactsOf(good, 'a/b'), []);
  t.is((await store.list()).length, 2);
  const [damaged, ...more] = await store.damagedArtifacts();
  t.deepEqual(more, []);
  t.like(damaged, { digest: artifact, type: 'a/b', subject: image.digest });
  const error = await t.throwsAsync(store.artifactsOf(image, 'a/b'), code('store.invalid'));
  t.true(error instanceof P2cError && error.hint?.includes(`'p2c image rm ${artifact}'`));
  t.is((await store.remove('bad')).removedBlobs, 5);
  t.deepEqual(await store.damagedArtifacts(), []);
  t.deepEqual((await validateLayout(store.root)).faults, []);
});

test('a damaged artifact of nobody knows whom is passed over, and removed by its digest', async (t) => {
  const store = await emptyStore(t);
  const { image, artifact } = await withDamagedArtifact(store, 'bad');
  await store[Symbol.asyncDispose]();
  const file = join(store.root, 'index.json');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"io.p2c.subject"', '"x"'));
  t.deepEqual(await store.artifactsOf(image, 'a/b'), []);
  t.like((await store.damagedArtifacts())[0], { digest: artifact, subject: undefined });
  const error = await t.throwsAsync(store.remove('bad'), code('store.uncollected'));
  t.true(error instanceof P2cError && error.hint?.includes(`'p2c image rm ${artifact}'`));
  await store.remove(artifact);
  t.deepEqual(blobs(store), []);
});

test('an artifact goes too when its image loses the name to another', async (t) => {
  const store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a']);
  const empty = plant(store, {});
  const config = { mediaType: 'application/vnd.oci.empty.v1+json', ...empty };
  const subject = { mediaType: MediaType.manifest, digest: lab.digest, size: 1 };
  const receipt = plant(store, {
    schemaVersion: 2,
    mediaType: MediaType.manifest,
    artifactType: 'a/b',
    config,
    layers: [],
    subject,
  });
  plantInIndex(store, { mediaType: MediaType.manifest, ...receipt });
  await add(store, 'lab', ['b']);
  await store[Symbol.asyncDispose]();
  t.false(has(store, receipt.digest));
  t.false(has(store, empty.digest));
});

test('a store that is disposed of while an image is being added waits for it', async (t) => {
  const root = join(await temporaryFolder(t), 'store');
  const unawaited = async (): Promise<Image> => {
    await using store = await ImageStore.open(root, { create: true });
    const layers = [await addLayer(store, 'a')];
    const rootfs = { type: 'layers' as const, diff_ids: layers.map(({ diffID }) => diffID) };
    const config = { architecture: 'amd64', os: 'linux', rootfs };
    // Without await: the store is disposed of first.
    return store.addImage({ reference: parseReference('lab'), layers, config });
  };
  const image = await unawaited();
  t.is((await (await ImageStore.open(root)).find('lab')).digest, image.digest);
  t.deepEqual((await validateLayout(root)).faults, []);
});

test('no name is given to an image of which a layer is not there', async (t) => {
  await using store = await emptyStore(t);
  const layer = await addLayer(store, 'a');
  const absent = { ...layer, digest: digestOfHex('0'.repeat(64)) };
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };
  const reference = parseReference('lab');
  await t.throwsAsync(store.addImage({ reference, layers: [layer, absent], config }), code('store.incomplete'));
  t.deepEqual(await store.list(), []);
});

interface Index {
  manifests: { digest: Digest; annotations: Record<string, string> }[];
}

/** Holds a reader between the index and this manifest, changes the index meanwhile, and lets it find no manifest. */
async function whileReading<Result>(
  store: ImageStore,
  { digest }: Image,
  read: () => Promise<Result>,
  change: (index: Index) => void,
): Promise<Result> {
  await rm(store.blobPath(digest));
  execFileSync('mkfifo', [store.blobPath(digest)]);
  const reading = read();
  // Opened once the reader has opened it, too.
  const pipe = await open(store.blobPath(digest), 'w');
  const file = join(store.root, 'index.json');
  const index: Index = JSON.parse(readFileSync(file, 'utf8'));
  change(index);
  writeFileSync(file, JSON.stringify(index));
  await pipe.close();
  return reading;
}

test('an image that is removed while it is read is gone, and not damaged', async (t) => {
  const store = await emptyStore(t);
  const lab = await add(store, 'lab', ['a']);
  await add(store, 'other', ['b']);
  const remove = (index: Index): void => {
    index.manifests = index.manifests.filter(({ digest }) => digest !== lab.digest);
  };
  const left = await whileReading(store, lab, () => store.list(), remove);
  t.deepEqual(
    left.map(({ reference }) => reference),
    ['other:latest'],
  );
});

test('a name that moves while its image is read leads to the new one; without that, the image is damaged', async (t) => {
  const store = await emptyStore(t);
  const old = await add(store, 'lab', ['a']);
  const other = await add(store, 'other', ['b']);
  const found = await whileReading(
    store,
    old,
    () => store.find('lab'),
    (index) => {
      for (const item of index.manifests) item.digest = other.digest;
    },
  );
  t.is(found.digest, other.digest);
  const damaged = whileReading(
    store,
    other,
    () => store.find('lab'),
    () => {},
  );
  await t.throwsAsync(damaged, code('store.invalid'));
});

test('a blob that was committed and became part of nothing goes with the run', async (t) => {
  const store = await emptyStore(t);
  await addLayer(store, 'part');
  await store[Symbol.asyncDispose]();
  t.deepEqual(blobs(store), []);
  t.deepEqual(temporaries(store), []);
  appendFileSync(join(store.root, 'blobs/sha256/not-a-digest'), '');
  t.deepEqual(await store.list(), []);
});
