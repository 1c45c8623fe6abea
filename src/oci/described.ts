/**
 * Reads the artifacts that describe an image. One that is damaged is passed over where it is another image's, or may be:
 * the images of a store do not suffer for each other.
 */
import { P2cError } from '../errors.ts';
import { isManifest, readManifest } from './descriptors.ts';
import type { Digest } from './digest.ts';
import type { Layout } from './layout.ts';
import { statedSubject } from './reachable.ts';
import type { Descriptor, Manifest } from './spec.ts';

/** An artifact whose manifest is damaged or missing. */
export interface DamagedArtifact {
  readonly digest: Digest;
  readonly type: string;
  /** What it described, where the index tells. */
  readonly subject: Digest | undefined;
  readonly error: P2cError;
}

interface Read {
  readonly descriptor: Descriptor;
  readonly manifest: Manifest | P2cError;
}

/**
 * @param artifactType undefined for all types.
 * @returns in the order of the index, the newest last.
 * @throws P2cError `store.invalid` for a damaged one that is known to be this image's.
 */
export async function artifactsOf(layout: Layout, image: Digest, artifactType?: string): Promise<Manifest[]> {
  const read = await readAll(layout, artifactType);
  return read.flatMap(({ descriptor, manifest }) => {
    if (!(manifest instanceof P2cError)) return manifest.subject?.digest === image ? [manifest] : [];
    if (statedSubject(descriptor) === image) throw manifest;
    return [];
  });
}

/** Readers hold no lock: one that was removed while it was read is not damaged, but gone. */
export async function damagedArtifacts(layout: Layout): Promise<DamagedArtifact[]> {
  const read = await readAll(layout, undefined);
  if (!read.some(({ manifest }) => manifest instanceof P2cError)) return [];
  const there = new Set((await layout.readIndex()).manifests.map(({ digest }) => digest));
  return read.flatMap(({ descriptor, manifest }) => {
    if (!(manifest instanceof P2cError) || !there.has(descriptor.digest)) return [];
    const { digest, artifactType } = descriptor;
    return [{ digest, type: String(artifactType), subject: statedSubject(descriptor), error: manifest }];
  });
}

async function readAll(layout: Layout, artifactType: string | undefined): Promise<Read[]> {
  const { manifests } = await layout.readIndex();
  const isMeant = (type: unknown): boolean => (artifactType === undefined ? type !== undefined : type === artifactType);
  const described = manifests.filter((item) => isManifest(item) && isMeant(item['artifactType']));
  return Promise.all(
    described.map(async (descriptor) => {
      const manifest = await readManifest(layout, descriptor).catch((error: unknown) => {
        if (error instanceof P2cError && error.code === 'store.invalid') return error;
        throw error;
      });
      return { descriptor, manifest };
    }),
  );
}
