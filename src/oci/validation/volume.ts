/** Judges a volume that was captured beside an image: its place, and its layers. */
import { checkBlob, placeOf } from './blobs.ts';
import type { ManifestDocument } from './documents.ts';
import type { Faults } from './fault.ts';
import type { ExaminedImage } from './image.ts';
import { examineLayer } from './layer.ts';

const VOLUME_TYPE = 'application/vnd.p2c.volume.v1';
const VOLUME_PATH = 'io.p2c.volume.path';
/** Absolute, without empty components, and with none that is a dot or two. */
const PLACE = /^(?:\/(?!\.{1,2}(?:\/|$))[^/\0]+)+$/;

export function isVolume({ artifactType }: ManifestDocument): boolean {
  return artifactType === VOLUME_TYPE;
}

/** @param where the place of the manifest, for faults. */
export async function examineVolume(
  root: string,
  where: string,
  { config, layers, annotations }: ManifestDocument,
  faults: Faults,
): Promise<ExaminedImage> {
  const volume = annotations?.[VOLUME_PATH] ?? '';
  if (!PLACE.test(volume)) faults.add('volume.place', where, `'${volume}' is no place of a volume`);
  await checkBlob(root, config, placeOf('artifact', config.digest), faults);
  const sum = { layers: 0, entries: 0, bytes: 0 };
  for (const [index, layer] of layers.entries()) {
    const { entries, bytes } = await examineLayer(root, layer, { lowest: index === 0, volume }, faults);
    sum.layers += 1;
    sum.entries += entries;
    sum.bytes += bytes;
  }
  return sum;
}
