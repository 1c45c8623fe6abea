/** Images that are removed, or whose names move, while somebody reads them: they are gone, and nothing is damaged. */
import { execFileSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../../src/errors.ts';
import type { Image } from '../../../src/oci/image.ts';
import { parseReference } from '../../../src/oci/reference.ts';
import { MediaType } from '../../../src/oci/spec.ts';
import { ImageStore } from '../../../src/oci/store.ts';
import type { Verdict } from '../../../src/oci/validation/examination.ts';
import { validateImage, validateLayout } from '../../../src/oci/validation/layout.ts';
import { checkChain } from '../../../src/report/receipt/chain.ts';
import { rawTar } from '../../helpers/raw-tar.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

/** An image of one layer. */
async function add(root: string, name: string, file: string): Promise<Image> {
  await using store = await ImageStore.open(root, { create: true });
  await using blob = await store.createBlob();
  await blob.write([rawTar([{ name: file }])]);
  const { digest, size } = await blob.commit();
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [digest] } };
  const layers = [{ mediaType: MediaType.layerTar, digest, diffID: digest, size }];
  return await store.addImage({ reference: parseReference(name), layers, config });
}

async function storeOf(t: ExecutionContext): Promise<string> {
  return join(await temporaryFolder(t), 'store');
}

/**
 * Holds a reader up at the image's layer, which it has opened then, for as long as this takes. One test at a time: an open
 * that waits for the other end keeps one of Node's few threads.
 */
async function during<Result>(
  root: string,
  image: Image,
  read: () => Promise<Result>,
  change: () => Promise<unknown>,
): Promise<Result> {
  const file = join(root, 'blobs/sha256', image.manifest.layers[0]?.digest.slice('sha256:'.length) ?? '');
  const bytes = readFileSync(file);
  rmSync(file);
  execFileSync('mkfifo', [file]);
  const reading = read();
  const pipe = await open(file, 'w');
  await change();
  await pipe.writeFile(bytes);
  await pipe.close();
  return reading;
}

const remove = async (root: string, name: string): Promise<unknown> => (await ImageStore.open(root)).remove(name);
const briefly = ({ images, faults }: Verdict) => ({ images, faults });

test.serial('an image that is removed while the whole store is examined is none of its faults', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  await add(root, 'other', 'b');
  const verdict = await during(
    root,
    lab,
    () => validateLayout(root),
    () => remove(root, 'lab'),
  );
  t.deepEqual(briefly(verdict), { images: 1, faults: [] });
});

test.serial('what is missing of an image that the index still names is a fault', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  const verdict = await during(
    root,
    lab,
    () => validateLayout(root),
    async () => rmSync(join(root, 'blobs/sha256', lab.configDigest.slice('sha256:'.length))),
  );
  t.deepEqual(
    verdict.faults.map(({ code }) => code),
    ['blob.missing'],
  );
});

test.serial('an image that is removed while it is examined is told as gone', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  const examined = during(
    root,
    lab,
    () => validateImage(root, 'lab'),
    () => remove(root, 'lab'),
  );
  await t.throwsAsync(examined, { instanceOf: P2cError, code: 'image.unknown' });
});

test.serial('of a name that moves while its image is examined, the new image is', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  const verdict = await during(
    root,
    lab,
    () => validateImage(root, 'lab'),
    () => add(root, 'lab', 'b'),
  );
  t.deepEqual(briefly(verdict), { images: 1, faults: [] });
});

test.serial('a receipt rests on an image that is gone, and not on one that is damaged', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  const config = join(root, 'blobs/sha256', lab.configDigest.slice('sha256:'.length));
  rmSync(config);
  execFileSync('mkfifo', [config]);
  const checking = checkChain(root, lab.digest);
  const pipe = await open(config, 'w');
  await remove(root, 'lab');
  await pipe.close();
  t.deepEqual(
    (await checking).kept.map(({ code }) => code),
    ['index.missing'],
  );
});

test.serial('what somebody reads stays until the reading is over, though the image is removed', async (t) => {
  const root = await storeOf(t);
  const lab = await add(root, 'lab', 'a');
  const store = await ImageStore.open(root);
  const use = await store.read(lab);
  await remove(root, 'lab');
  t.true(await store.stillHas(lab.configDigest, readFileSync(store.blobPath(lab.configDigest)).length));
  await use[Symbol.asyncDispose]();
  await store.release('nobody');
  t.false(await store.stillHas(lab.configDigest, 1));
});
