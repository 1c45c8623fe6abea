/** Images as the index's descriptors lead to them. */
import { isArtifact, isManifest, nameOf, readManifest } from './descriptors.ts';
import type { Image } from './image.ts';
import type { Layout } from './layout.ts';
import { type Descriptor, imageConfigSchema, MediaType } from './spec.ts';

/** Artifacts are manifests too, with configs of other kinds (image-spec, manifest.md). @throws P2cError `store.invalid`. */
export async function isImage(layout: Layout, descriptor: Descriptor): Promise<boolean> {
  if (!isManifest(descriptor) || isArtifact(descriptor)) return false;
  return (await readManifest(layout, descriptor)).config.mediaType === MediaType.config;
}

/** @throws P2cError `store.invalid`. */
export async function readImage(layout: Layout, descriptor: Descriptor): Promise<Image> {
  const manifest = await readManifest(layout, descriptor);
  const config = await layout.readDocument(manifest.config.digest, imageConfigSchema, 'config');
  return {
    reference: nameOf(descriptor),
    digest: descriptor.digest,
    configDigest: manifest.config.digest,
    manifest,
    config,
    size: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
  };
}
