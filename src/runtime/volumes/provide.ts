/** The volumes that a container gets: those that are asked for, and those that its image declares. */
import { isAbsolute, normalize } from 'node:path';
import type { Image } from '../../oci/image.ts';
import { type LayerRoot, placeInRoot } from '../root-path.ts';
import { isReserved, type Volume } from '../volume.ts';
import { type SeedSources, seedVolume } from './seed.ts';
import { ensureVolume, newVolumeName, noteVolumes, volumeData } from './volumes.ts';
import type { MountWish, NamedVolume } from './wish.ts';

/**
 * Makes those of the store that are missing, and fills new ones from the image.
 * @param folder the container's: what it uses is noted there first, so that nobody removes it meanwhile.
 * @throws P2cError `volume.*`.
 */
export async function provideVolumes(
  root: string,
  folder: string,
  image: Image,
  sources: SeedSources,
  wishes: readonly MountWish[],
): Promise<Volume[]> {
  const taken = wishes.map((wish) => placeInRoot(sources.layers, destinationOf(wish)));
  const asked = wishes.flatMap((wish) => ('volume' in wish ? [wish.volume] : []));
  const declared = declaredVolumes(image, sources.layers, taken);
  const wanted = [...asked, ...declared].map((wish) => ({
    ...wish,
    name: wish.name ?? newVolumeName(),
    anonymous: wish.name === undefined,
  }));
  if (wanted.length > 0) {
    await noteVolumes(
      folder,
      wanted.map(({ name, destination, anonymous }) => ({ name, destination, anonymous })),
    );
  }
  const volumes = wishes.flatMap((wish) => ('bind' in wish ? [wish.bind] : []));
  for (const { name, destination, readOnly, seeded, anonymous } of wanted) {
    await ensureVolume(root, name, { anonymous });
    await seedVolume(root, name, folder, seeded ? sources : undefined, destination);
    volumes.push({ source: volumeData(root, name), sourceIsDirectory: true, destination, readOnly });
  }
  return volumes;
}

function destinationOf(wish: MountWish): string {
  if ('bind' in wish) return wish.bind.destination;
  return 'volume' in wish ? wish.volume.destination : wish.tmpfs.destination;
}

/**
 * As podman: one without a name for each. What no volume can lie on, or one lies on already, by whatever links, is passed over: the
 * image is not the user's word.
 */
function declaredVolumes(
  image: Image,
  layers: readonly LayerRoot[],
  taken: readonly (string | undefined)[],
): NamedVolume[] {
  const places = new Set(taken);
  const isFree = (path: string): boolean => {
    const place = placeInRoot(layers, path);
    if (place === undefined || place === '/' || isReserved(place) || places.has(place)) return false;
    places.add(place);
    return true;
  };
  const paths = Object.keys(image.config.config?.Volumes ?? {}).filter((path) => isAbsolute(path));
  const clean = [...new Set(paths.map((path) => normalize(path).replace(/(.)\/$/, '$1')))];
  return clean
    .filter((path) => path !== '/' && !isReserved(path) && !path.includes('\0') && isFree(path))
    .map((destination) => ({ name: undefined, destination, readOnly: false, seeded: true }));
}
