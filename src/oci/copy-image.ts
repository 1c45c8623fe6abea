/** Takes an image, and what describes it, into another layout, where all of it is what it is here, digest for digest. */
import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { P2cError } from '../errors.ts';
import { nameOf } from './descriptors.ts';
import type { Digest } from './digest.ts';
import { storeError } from './files.ts';
import type { Image } from './image.ts';
import { Layout } from './layout.ts';
import { reachable, withoutOrphans } from './reachable.ts';
import { type Descriptor, MediaType, REF_NAME } from './spec.ts';

/** Where an image goes. */
export interface OtherLayout {
  readonly folder: string;
  /** What the image is called there; what had that name loses it. */
  readonly name: string;
}

/**
 * The other layout may be a store in use: what goes there is noted before it is there, as the store's own is, and other
 * tools, which write an index without a look at its lock, would take away what came into it meanwhile.
 * @param described the artifacts that describe the image. All of it is to be spoken for in `from` (see image-use.ts).
 * @throws P2cError `store.invalid` where a blob is damaged, `store.full`, `store.incomplete`; `export.failed` where no
 * layout can be.
 */
export async function copyImage(
  from: Layout,
  image: Image,
  described: readonly Descriptor[],
  { folder, name }: OtherLayout,
  signal: AbortSignal,
): Promise<void> {
  const layers = image.manifest.layers.map(({ digest }) => digest);
  const needed = new Set([image.digest, image.configDigest, ...layers, ...(await reachable(from, described))]);
  const to = await Layout.open(resolve(folder), true).catch((error: unknown) => cannotGo(folder, error));
  const note = await noteIn(to, [...needed]);
  try {
    for (const digest of needed) await copyBlob(from, to, digest, signal);
    await to.published();
    signal.throwIfAborted();
    await using _ = await to.lock();
    await to.requireBlobs([...needed]);
    const index = await to.readIndex();
    const going = new Set(described.map(({ digest }) => digest));
    const others = index.manifests.filter((item) => nameOf(item) !== name && !going.has(item.digest));
    const own = await descriptorOf(from, image, name);
    const manifests = await withoutOrphans(to, index.manifests, [...others, own, ...described]);
    await to.writeIndex({ ...index, manifests });
  } finally {
    await to.settled();
    await note[Symbol.asyncDispose]();
    await to.uses.release();
  }
}

async function noteIn(to: Layout, digests: readonly Digest[]): Promise<AsyncDisposable> {
  await using _ = await to.lock();
  return await to.speakFor(digests);
}

async function descriptorOf(from: Layout, { digest }: Image, name: string): Promise<Descriptor> {
  const size = (await from.sizeOf(digest)) ?? 0;
  return { mediaType: MediaType.manifest, digest, size, annotations: { [REF_NAME]: name } };
}

/** What is there in its full length stays. */
async function copyBlob(from: Layout, to: Layout, digest: Digest, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const file = from.blobPath(digest);
  const there = await to.sizeOf(digest);
  if (there !== undefined && there === (await from.sizeOf(digest))) return;
  await using blob = await to.createBlob();
  for await (const chunk of readBlob(file)) {
    signal.throwIfAborted();
    await blob.write([chunk]);
  }
  const copied = await blob.commit();
  if (copied.digest === digest) return;
  throw new P2cError(`${file} is damaged: its ${copied.size} bytes have the digest ${copied.digest}`, {
    code: 'store.invalid',
    hint: "'p2c image validate' lists what is wrong with the image",
  });
}

async function* readBlob(file: string): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 })) {
      if (Buffer.isBuffer(chunk)) yield chunk;
    }
  } catch (error) {
    throw storeError(error, file);
  }
}

function cannotGo(folder: string, error: unknown): never {
  if (!(error instanceof P2cError)) throw error;
  throw new P2cError(`no layout can be at ${folder}: ${error.message}`, {
    code: 'export.failed',
    hint: 'name another folder, or one that can be made',
    cause: error,
  });
}
