/** The volumes that profiles name: where they are mounted, and whether their content is stored beside the image. */
import { normalize } from 'node:path/posix';
import type { VolumePlace } from '../listing/trees.ts';
import { byteStringFromText } from '../printable.ts';
import type { Profile } from './schema.ts';

/** Each place once; where profiles differ, its content is stored beside the image. */
export function volumePlaces(profiles: readonly Pick<Profile, 'volumes'>[]): VolumePlace[] {
  const places = new Map<string, VolumePlace>();
  for (const { path, capture } of profiles.flatMap(({ volumes }) => volumes)) {
    const clean = cleanVolumePath(path);
    const apart = capture === 'volume' || places.get(clean)?.apart === true;
    places.set(clean, { path: byteStringFromText(clean), apart });
  }
  return [...places.values()];
}

/** Without a slash at its end, or two in a row. */
function cleanVolumePath(path: string): string {
  return normalize(path).replace(/(.)\/$/, '$1');
}
