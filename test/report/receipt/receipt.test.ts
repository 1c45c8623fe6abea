import { writeFileSync } from 'node:fs';
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../../src/errors.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import type { Image } from '../../../src/oci/image.ts';
import type { Layer } from '../../../src/oci/layer.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { MediaType } from '../../../src/oci/spec.ts';
import { ImageStore } from '../../../src/oci/store.ts';
import { validateLayout } from '../../../src/oci/validation/layout.ts';
import { type ByteString, byteString, byteStringFromText } from '../../../src/printable.ts';
import { CaptureLogReader, CaptureLogWriter } from '../../../src/report/receipt/capture-log.ts';
import { checkReceipt } from '../../../src/report/receipt/check.ts';
import {
  decodeLine,
  encodeLine,
  RECEIPT_LINES_TYPE,
  RECEIPT_TYPE,
  type ReceiptLine,
} from '../../../src/report/receipt/form.ts';
import { openReceipt } from '../../../src/report/receipt/read.ts';
import { BECAME_LEFT_OUT } from '../../../src/report/receipt/reasons.ts';
import { summarise } from '../../../src/report/receipt/summary.ts';
import { writeReceipt } from '../../../src/report/receipt/write.ts';
import { type RawEntry, rawTar } from '../../helpers/raw-tar.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const path = (text: string): ByteString => byteStringFromText(text);
const X = 'sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881';
const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

test('a line survives being written and read, whatever bytes its names hold', (t) => {
  const names = ['/plain', '/new\nline', '/é', '/"\\', '/\u2028'].map(path);
  names.push(
    byteString(Buffer.from([0x2f, 0xff, 0xfe, 0x0a, 0x1b])),
    byteString(Buffer.from('/\ud7ff\xc3(', 'latin1')),
  );
  for (const name of names) {
    const line: ReceiptLine = { path: name, type: 'f', verdict: 'captured', layer: 0, digest: X, hardLink: name };
    const text = encodeLine(line);
    t.false(text.includes('\n'));
    t.like(decodeLine(text), line);
  }
  t.false(encodeLine({ path: path('/é'), type: 'd', verdict: 'captured' }).includes('Base64'));
  for (const bad of ['', '{}', 'null', '{"path":"/x","type":"f","verdict":"lost"}', '{"path":"/x","type":"ff"}']) {
    t.throws(() => decodeLine(bad));
  }
});

test('a capture log gives back what was put in, over the borders of its pieces', async (t) => {
  const file = join(await temporaryFolder(t), 'log');
  const records = Array.from({ length: 5000 }, (_, number) => ({
    path: path(`/${'x'.repeat(number % 300)}\n${number}`),
    type: number % 5 === 0 ? undefined : ('f' as const),
    digest: number % 3 === 0 ? X : undefined,
    hardLink: number % 5 === 0 ? path('/y') : undefined,
    fixes: number % 7 === 0 ? ['a', 'b'] : [],
    offset: number * 512,
  }));
  const writer = new CaptureLogWriter(file);
  for (const record of records) writer.add(record);
  const lost = { path: path('/zz'), lost: 'not delivered' };
  writer.lose(lost);
  writer.close();
  const reader = new CaptureLogReader(file);
  const read = [];
  for (; reader.current !== undefined; reader.next()) read.push(reader.current);
  reader.close();
  t.deepEqual(read, [...records, lost]);
  new CaptureLogWriter(file).close();
  t.is(new CaptureLogReader(file).current, undefined, 'a log begun anew holds nothing of the old');
});

const LOWER: RawEntry[] = [
  { name: './', type: '5' },
  { name: './a/', type: '5' },
  { name: './a/gone', content: 'x' },
  { name: './a/torn', content: 'old' },
  { name: './b', content: 'x' },
  { name: './c', type: '1', link: './b' },
];
const UPPER: RawEntry[] = [
  { name: './', type: '5' },
  { name: './a/', type: '5' },
  { name: './a/torn', content: 'x' },
  { name: './a/.wh.gone' },
];
const LINES: ReceiptLine[] = [
  { path: path('/'), type: 'd', verdict: 'captured', layer: 1 },
  { path: path('/a'), type: 'd', verdict: 'captured', layer: 1 },
  { path: path('/a/gone'), type: 'f', verdict: 'vanished' },
  { path: path('/a/torn'), type: 'f', verdict: 'changed', layer: 1, digest: X },
  { path: path('/b'), type: 'f', verdict: 'captured', layer: 0, digest: X },
  { path: path('/c'), type: 'f', verdict: 'captured', layer: 0, hardLink: path('/b') },
  { path: path('/d'), type: 'f', verdict: 'left-out', rule: 'r' },
];

async function addLayer(store: ImageStore, tar: Buffer): Promise<Layer> {
  await using blob = await store.createBlob();
  await blob.write([tar]);
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

async function imageWith(
  t: ExecutionContext,
  lines: readonly ReceiptLine[],
  layers: readonly (readonly RawEntry[])[] = [LOWER, UPPER],
  adaptation?: Buffer,
): Promise<{ store: ImageStore; image: Image }> {
  const store = await ImageStore.open(join(await temporaryFolder(t), 'store'), { create: true });
  const stored: Layer[] = [];
  for (const entries of layers) stored.push(await addLayer(store, rawTar(entries)));
  async function* batches(): AsyncGenerator<readonly ReceiptLine[]> {
    for (const line of lines) yield [line];
  }
  const header = {
    receipt: 1 as const,
    source: 'root@old:22',
    captured: '2026-11-24T00:00:00.000Z',
    layers: stored.map(({ digest }) => digest),
    rules: [{ id: 'r', action: 'exclude' as const, reason: 'because' }],
    skipped: [],
  };
  const whole = adaptation === undefined ? stored : [...stored, await addLayer(store, adaptation)];
  const image = await store.addImage({
    reference: parseReference('x'),
    layers: whole,
    config: {
      architecture: 'amd64',
      os: 'linux',
      rootfs: { type: 'layers', diff_ids: whole.map(({ diffID }) => diffID) },
      history: whole.map((_, at) => ({ created_by: at < stored.length ? 'p2c migrate' : 'p2c adapt: fstab' })),
    },
    artifacts: [(await writeReceipt(store, header, batches())).artifact],
  });
  return { store, image };
}

async function faultsOf(t: ExecutionContext, lines: readonly ReceiptLine[], layers?: RawEntry[][]): Promise<string[]> {
  const { store, image } = await imageWith(t, lines, layers);
  const { faults, total, paths } = await checkReceipt(store, image);
  t.is(total, faults.length);
  t.is(paths, lines.length);
  return [...faults];
}

test('a true receipt holds; it is an artifact whose subject is the image, and the layout is valid', async (t) => {
  t.deepEqual(await faultsOf(t, LINES), []);
  const { store, image } = await imageWith(t, LINES);
  const [artifact] = await store.artifactsOf(image, RECEIPT_TYPE);
  t.is(artifact?.subject?.digest, image.digest);
  t.is(artifact?.annotations?.['io.p2c.receipt.captured'], '4');
  t.deepEqual((await validateLayout(store.root)).faults, []);
  t.deepEqual((await store.list()).length, 1, 'a receipt is no image');
  const summary = await summarise(await openReceipt(store, image));
  t.deepEqual(summary.verdicts, { captured: 4, fixed: 0, 'left-out': 1, changed: 1, vanished: 1, unreadable: 0 });
  t.deepEqual(summary.rules, [{ id: 'r', reason: 'because', paths: 1 }]);
  t.deepEqual(summary.blindSpots, ['/a/torn']);
  await store.remove('x');
  t.deepEqual(await store.artifactsOf(image, RECEIPT_TYPE), [], 'it goes with its image');
});

test('what became left out while it was captured is a blind spot, as a migration counts it', async (t) => {
  const late: ReceiptLine = { path: path('/e'), type: 'f', verdict: 'left-out', rule: 'r', reason: BECAME_LEFT_OUT };
  const { store, image } = await imageWith(t, [...LINES.filter(({ verdict }) => verdict !== 'changed'), late]);
  t.like(await summarise(await openReceipt(store, image)), { blindSpots: ['/e'], blind: 1 });
});

test('one bit of a layer, wherever it is: also where no line speaks of it', async (t) => {
  const { store, image } = await imageWith(t, LINES);
  const [layer = ''] = image.manifest.layers.map(({ digest }) => store.blobPath(digest));
  const bytes = await readFile(layer);
  // The mode of the root, an owner, a byte of content and one of its padding, and the end of the archive.
  for (const at of [100, 512 + 110, 3 * 512, 3 * 512 + 9, bytes.length - 1]) {
    const other = Buffer.from(bytes);
    other[at] = (bytes[at] ?? 0) ^ 1;
    await chmod(layer, 0o600);
    await writeFile(layer, other);
    const { faults } = await checkReceipt(store, image);
    t.regex(faults.join('\n'), /^layer 0: its bytes have the digest sha256:/m, String(at));
  }
  await rm(layer);
  const { faults } = await checkReceipt(store, image);
  t.deepEqual(faults, ['layer 0: the blob is missing']);
});

/** Each blob that a receipt rests on, and what falsifies it without a sign but its digest. */
const FALSIFIED: readonly (readonly [string, RegExp, (store: ImageStore, image: Image) => Promise<string>])[] = [
  ['the receipt', /^receipt /, async (store, image) => receiptFile(store, image)],
  ['the manifest of the receipt', /^artifact /, async (store) => artifactFile(store)],
  ['the manifest of the image', /^manifest /, async (store, image) => store.blobPath(image.digest)],
  ['the config', /^config /, async (store, image) => store.blobPath(image.configDigest)],
];

async function receiptFile(store: ImageStore, image: Image): Promise<string> {
  const [artifact] = await store.artifactsOf(image, RECEIPT_TYPE);
  return store.blobPath(artifact?.layers[0]?.digest ?? image.digest);
}

async function artifactFile(store: ImageStore): Promise<string> {
  const index: { manifests: { digest: Digest; artifactType?: string }[] } = JSON.parse(
    await readFile(join(store.root, 'index.json'), 'utf8'),
  );
  const { digest } = index.manifests.find(({ artifactType }) => artifactType === RECEIPT_TYPE) ?? {};
  return digest === undefined ? '' : store.blobPath(digest);
}

for (const [what, where, fileOf] of FALSIFIED) {
  test(`the check finds that ${what} was falsified, or destroyed`, async (t) => {
    const { store, image } = await imageWith(t, LINES);
    t.is((await checkReceipt(store, image)).total, 0);
    const file = await fileOf(store, image);
    const bytes = await readFile(file);
    await chmod(file, 0o600);
    const falsified =
      what === 'the receipt'
        ? gzipSync(gunzipSync(bytes).toString().replace('"rule":"r"', '"rule":"s"'))
        : Buffer.from(bytes.toString().replaceAll('"annotations":', ' "annotations":').replace('amd64', 'arm64'));
    for (const other of [
      falsified.equals(bytes) ? Buffer.concat([bytes, Buffer.from(' ')]) : falsified,
      bytes.subarray(9),
    ]) {
      await writeFile(file, other);
      const { faults } = await checkReceipt(store, image);
      t.regex(faults.join('\n'), new RegExp(`${where.source}[0-9a-f]{12}: its bytes have the digest sha256:`, 'm'));
    }
  });
}

test('the layer of an adaptation is checked by its bytes, and it is told that this is all', async (t) => {
  const adaptation = rawTar([
    { name: './', type: '5' },
    { name: './etc', content: 'x' },
  ]);
  const { store, image } = await imageWith(t, LINES, [LOWER, UPPER], adaptation);
  t.deepEqual(await checkReceipt(store, image), { paths: LINES.length, faults: [], total: 0, ownLayer: 2 });
  const file = store.blobPath(image.manifest.layers[2]?.digest ?? image.digest);
  await chmod(file, 0o600);
  await writeFile(file, Buffer.from(adaptation).fill('y', 1024, 1025));
  t.regex((await checkReceipt(store, image)).faults.join('\n'), /^layer 2: its bytes have the digest sha256:/);
});

for (const [what, change, expected] of [
  [
    'an entry left out of the receipt',
    (lines) => lines.filter((line) => line.path !== '/b'),
    /'\/b' is in layer 0, and the receipt does not speak of it/,
  ],
  [
    'an entry at the end left out',
    (lines) => lines.filter((line) => line.path !== '/c' && line.path !== '/d'),
    /'\/c' is in layer 0/,
  ],
  [
    'a path that no layer has',
    (lines) => [...lines, { path: path('/e'), type: 'f', verdict: 'captured', layer: 0, digest: X }],
    /'\/e' is captured by the receipt, and no layer has it/,
  ],
  [
    'a wrong digest',
    (lines) => lines.map((line) => (line.path === '/b' ? { ...line, digest: EMPTY } : line)),
    /'\/b': its digest is sha256:2d71.* and sha256:e3b0/,
  ],
  [
    'a digest of a lower layer',
    (lines) => lines.map((line) => (line.path === '/a/torn' ? { ...line, layer: 0 } : line)),
    /'\/a\/torn': its layer is 1, and 0/,
  ],
  [
    'a wrong type',
    (lines) => lines.map((line) => (line.path === '/a' ? { ...line, type: 'f' } : line)),
    /'\/a': its type is d, and f/,
  ],
  [
    'a wrong target',
    (lines) => lines.map((line) => (line.path === '/c' ? { ...line, hardLink: path('/a') } : line)),
    /'\/c': its target of the hard link is \/b, and \/a/,
  ],
  [
    'left out, and yet there',
    (lines) => lines.map((line) => (line.path === '/b' ? { ...line, verdict: 'left-out' } : line)),
    /'\/b' is left-out by the receipt, and layer 0 has it/,
  ],
  [
    'captured, and hidden',
    (lines) =>
      lines.map((line) => (line.path === '/a/gone' ? { ...line, verdict: 'captured', layer: 0, digest: X } : line)),
    /'\/a\/gone' is captured by the receipt, and no layer has it/,
  ],
  ['out of order', (lines) => lines.toReversed(), /out of order/],
] satisfies [string, (lines: ReceiptLine[]) => ReceiptLine[], RegExp][]) {
  test(`the check finds ${what}`, async (t) => {
    t.regex((await faultsOf(t, change(LINES))).join('\n'), expected);
  });
}

test('the check finds a layer that is not in path order', async (t) => {
  t.regex((await faultsOf(t, LINES, [LOWER.toReversed(), UPPER])).join('\n'), /layer 0: .* is not in path order/);
});

test('no receipt, and what is none, are told apart', async (t) => {
  const { store, image } = await imageWith(t, LINES);
  const plain = await store.addImage({
    reference: parseReference('y'),
    layers: [],
    config: { architecture: 'arm64', os: 'linux', rootfs: { type: 'layers', diff_ids: [] } },
  });
  await t.throwsAsync(openReceipt(store, plain), { instanceOf: P2cError, code: 'receipt.none' });
  const [artifact] = await store.artifactsOf(image, RECEIPT_TYPE);
  const digest = artifact?.layers[0]?.digest;
  t.is(artifact?.layers[0]?.mediaType, RECEIPT_LINES_TYPE);
  if (digest === undefined) return;
  const good = gzipSync('{"receipt":1}\n');
  for (const bytes of [Buffer.from('no gzip'), good, gzipSync('{'), good.subarray(0, 10), gzipSync('')]) {
    writeFileSync(store.blobPath(digest), bytes);
    await t.throwsAsync(openReceipt(store, image), { instanceOf: P2cError, code: 'receipt.invalid' });
  }
});
