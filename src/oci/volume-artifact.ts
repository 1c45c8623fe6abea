/**
 * A volume that was captured beside an image: an artifact whose subject is the image's manifest (image-spec 1.1,
 * manifest.md, "Guidelines for Artifact Usage"). Its layers are tars as an image's are, with names from the root and
 * whiteouts, that hold nothing but what is below the volume's folder, and the folders down to it.
 */
import { normalize } from 'node:path/posix';
import { P2cError } from '../errors.ts';
import { byteStringFromText } from '../printable.ts';
import type { NewArtifact } from './artifact.ts';
import type { Image } from './image.ts';
import type { Layer } from './layer.ts';
import type { Descriptor } from './spec.ts';
import type { ImageStore } from './store.ts';

const VOLUME_TYPE = 'application/vnd.p2c.volume.v1';
/** Where the volume is mounted: absolute and clean. */
const VOLUME_PATH = 'io.p2c.volume.path';

export interface StoredVolume {
  readonly path: string;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

export function volumeArtifact(path: string, layers: readonly Layer[]): NewArtifact {
  const described = layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size }));
  return { artifactType: VOLUME_TYPE, layers: described, annotations: { [VOLUME_PATH]: path } };
}

/**
 * The volumes that were captured with an image, by path; of several for one path, the newest.
 * @throws P2cError `volume.artifact` for one that names no place where a volume could be.
 */
export async function volumesOf(store: Pick<ImageStore, 'artifactsOf'>, image: Image): Promise<StoredVolume[]> {
  const volumes = new Map<string, StoredVolume>();
  for (const { annotations, layers } of await store.artifactsOf(image, VOLUME_TYPE)) {
    const path = annotations?.[VOLUME_PATH] ?? '';
    if (!isPlace(path)) {
      throw new P2cError(`a volume of ${image.reference ?? image.digest} names no place: '${path.slice(0, 200)}'`, {
        code: 'volume.artifact',
        hint: 'p2c writes none like it: the image is damaged or made to do harm',
      });
    }
    volumes.set(path, { path, layers });
  }
  return [...volumes.values()].sort((a, b) => (sortKey(a.path) < sortKey(b.path) ? -1 : 1));
}

/** By the bytes of a path's components, so that a volume comes before those within it. */
function sortKey(path: string): string {
  return byteStringFromText(path).replaceAll('/', '\0');
}

function isPlace(path: string): boolean {
  return (
    path.startsWith('/') && path !== '/' && !path.includes('\0') && !path.endsWith('/') && normalize(path) === path
  );
}
