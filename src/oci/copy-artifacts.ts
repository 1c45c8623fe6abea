/** Takes what describes an image into another layout, which has the image under the same digest. */
import { createReadStream } from 'node:fs';
import { P2cError } from '../errors.ts';
import type { Digest } from './digest.ts';
import { Layout } from './layout.ts';
import { describing, reachable } from './reachable.ts';

/**
 * @param subject the image's manifest.
 * @param folder of the other layout.
 * @throws P2cError `store.invalid` where a blob is damaged, `store.missing`, `store.full`.
 */
export async function copyArtifacts(from: Layout, subject: Digest, folder: string): Promise<void> {
  const described = await describing(from, (await from.readIndex()).manifests, subject);
  if (described.length === 0) return;
  const to = await Layout.open(folder, false);
  try {
    for (const digest of await reachable(from, described)) {
      if ((await to.sizeOf(digest)) === undefined) await copyBlob(from, to, digest);
    }
    await to.published();
    await using _ = await to.lock();
    const index = await to.readIndex();
    const there = new Set(index.manifests.map(({ digest }) => digest));
    const added = described.filter(({ digest }) => !there.has(digest));
    if (added.length > 0) await to.writeIndex({ ...index, manifests: [...index.manifests, ...added] });
  } finally {
    await to.settled();
    await to.uses.release();
  }
}

async function copyBlob(from: Layout, to: Layout, digest: Digest): Promise<void> {
  await using blob = await to.createBlob();
  for await (const chunk of createReadStream(from.blobPath(digest), { highWaterMark: 1024 * 1024 })) {
    if (Buffer.isBuffer(chunk)) await blob.write([chunk]);
  }
  const copied = await blob.commit();
  if (copied.digest === digest) return;
  throw new P2cError(`${from.blobPath(digest)} is damaged: its ${copied.size} bytes have the digest ${copied.digest}`, {
    code: 'store.invalid',
    hint: "'p2c image validate' lists what is wrong with the image",
  });
}
