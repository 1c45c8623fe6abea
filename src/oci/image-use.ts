/** Whoever is about to use an image speaks for what it needs: see uses.ts for how it is heard. */
import { P2cError, systemCode } from '../errors.ts';
import { movedImage, nameOf, unknownImage } from './descriptors.ts';
import type { Image } from './image.ts';
import type { Layout } from './layout.ts';
import { describing, reachable } from './reachable.ts';
import type { Descriptor } from './spec.ts';

/** The note, to be disposed of when the use is over. */
export interface ImageUse extends AsyncDisposable {
  /** The artifacts that described the image when the use began. */
  readonly described: readonly Descriptor[];
}

/** @throws P2cError `image.unknown` where it was removed just now, `image.moved` where its name went to another. */
export async function useImage(layout: Layout, image: Image): Promise<ImageUse> {
  await using _ = await layout.lock();
  const described = await describedNow(layout, image);
  const layers = image.manifest.layers.map(({ digest }) => digest);
  const beside = await reachable(layout, described);
  const note = await layout.speakFor([image.digest, image.configDigest, ...layers, ...beside]);
  return { described, [Symbol.asyncDispose]: () => note[Symbol.asyncDispose]() };
}

/**
 * The same for who only reads, and may be allowed no more: where no note can be made, what somebody removes meanwhile is
 * missed.
 */
export async function readImageInUse(layout: Layout, image: Image): Promise<ImageUse> {
  try {
    return await useImage(layout, image);
  } catch (error) {
    if (!isRefusedWriting(error)) throw error;
    return { described: await describedNow(layout, image), async [Symbol.asyncDispose]() {} };
  }
}

async function describedNow(layout: Layout, { digest, reference }: Image): Promise<readonly Descriptor[]> {
  const { manifests } = await layout.readIndex();
  if (!manifests.some((item) => item.digest === digest)) {
    const now = manifests.find((item) => reference !== undefined && nameOf(item) === reference);
    if (reference !== undefined && now !== undefined) throw movedImage(reference, now.digest);
    throw unknownImage(layout.root, manifests, reference ?? digest);
  }
  return describing(layout, manifests, digest);
}

const REFUSALS: readonly string[] = ['EACCES', 'EPERM', 'EROFS', 'ENOSPC', 'EDQUOT'];

function isRefusedWriting(error: unknown): boolean {
  if (error instanceof P2cError) return error.code === 'store.lock' || error.code === 'store.denied';
  return REFUSALS.includes(systemCode(error) ?? '');
}
