/** A new volume begins with what the image has for it: once, and whole or not at all. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { P2cError, systemCode } from '../../errors.ts';
import { lock } from '../../oci/lock.ts';
import { leftIn, ownedName } from '../owned-name.ts';
import { type LayerRoot, placeInRoot, resolveInRoot } from '../root-path.ts';
import { unpackContent, type VolumeContent } from './content.ts';
import { copyFromImage } from './from-image.ts';
import { findVolume, markUsed, volumeData, volumeFolder, volumeUsers } from './volumes.ts';

/** What an image has for volumes. */
export interface SeedSources {
  /** Topmost first. */
  readonly layers: readonly LayerRoot[];
  /** What was captured beside the image. */
  readonly contents: readonly VolumeContent[];
}

/** Fills the folder `data` in a folder of work. */
type Fill = (work: string) => Promise<void>;

/** Seconds. As long as it may take to unpack what is large. */
const FILLING_TAKES = 24 * 3600;

/**
 * Fills a volume that is new. One that a container had before, though it be empty by now, is left as it is: its folder may be
 * mounted, and what was deleted there is not to come back.
 * @param container the folder of the one that gets it.
 * @param sources undefined where it is to begin empty. @param path in the image.
 * @throws P2cError `volume.seed`.
 */
export async function seedVolume(
  root: string,
  name: string,
  container: string,
  sources: SeedSources | undefined,
  path: string,
): Promise<void> {
  if ((await findVolume(root, name)).used === true) return;
  // Each container comes by here before it mounts anything: who has the lock and finds it new is the first.
  await using _ = await lock(lockOf(root, name), FILLING_TAKES);
  const volume = await findVolume(root, name);
  if (volume.used === true) return;
  const isNew = volume.used === false || !(await hasOtherUser(root, name, container));
  const fill = sources === undefined ? undefined : fillFrom(sources, path);
  if (isNew && fill !== undefined) await fillWhereEmpty(root, name, fill, path);
  await markUsed(root, volume);
}

/** A file, beside the content: what holds locks on a file may hold none on a folder (NFS). It goes with the volume. */
function lockOf(root: string, name: string): string {
  return join(volumeFolder(root, name), '.lock');
}

async function hasOtherUser(root: string, name: string, container: string): Promise<boolean> {
  return ((await volumeUsers(root)).get(name) ?? []).some((id) => id !== basename(container));
}

async function fillWhereEmpty(root: string, name: string, fill: Fill, path: string): Promise<void> {
  // Somebody may have put files there by hand.
  if ((await readdir(volumeData(root, name))).length > 0) return;
  // What a killed call left.
  for (const left of await leftIn(volumeFolder(root, name))) await rm(left, { recursive: true, force: true });
  const work = join(volumeFolder(root, name), `.${ownedName('seed')}`);
  try {
    await mkdir(work, { mode: 0o700 });
    await mkdir(join(work, 'root'));
    await mkdir(join(work, 'data'), { mode: 0o755 });
    await fill(work);
    await rename(join(work, 'data'), volumeData(root, name));
  } catch (cause) {
    if (['ENOTEMPTY', 'EEXIST'].includes(systemCode(cause) ?? '')) return;
    throw new P2cError(`the volume '${name}' could not be filled with the image's '${path}'`, {
      code: 'volume.seed',
      hint: 'is there space left? --mount type=volume,volume-nocopy begins with an empty one',
      cause,
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** What was captured for the place, however the container's user writes it, and else what the image has there. */
function fillFrom({ layers, contents }: SeedSources, path: string): Fill | undefined {
  const found = resolveInRoot(layers, path);
  const content =
    contents.find((each) => each.path === path) ??
    contents.find((each) => placeInRoot(layers, each.path) === found.path);
  if (content !== undefined) return (work) => unpackContent(content, work);
  return found.kind === 'directory' ? (work) => copyFromImage(layers, found.path, work) : undefined;
}
