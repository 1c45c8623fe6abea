/** Whoever is about to use an image speaks for what it needs: see uses.ts for how it is heard. */
import { movedImage, nameOf, unknownImage } from './descriptors.ts';
import type { Image } from './image.ts';
import type { Layout } from './layout.ts';
import { describing, reachable } from './reachable.ts';

/**
 * @returns the note, to be disposed of when the use is over.
 * @throws P2cError `image.unknown` where it was removed just now, `image.moved` where its name went to another.
 */
export async function useImage(layout: Layout, image: Image): Promise<AsyncDisposable> {
  const { digest, configDigest, manifest, reference } = image;
  await using _ = await layout.lock();
  const { manifests } = await layout.readIndex();
  if (!manifests.some((item) => item.digest === digest)) {
    const now = manifests.find((item) => reference !== undefined && nameOf(item) === reference);
    if (reference !== undefined && now !== undefined) throw movedImage(reference, now.digest);
    throw unknownImage(layout.root, manifests, reference ?? digest);
  }
  const described = await reachable(layout, await describing(layout, manifests, digest));
  return await layout.speakFor([digest, configDigest, ...manifest.layers.map((layer) => layer.digest), ...described]);
}
