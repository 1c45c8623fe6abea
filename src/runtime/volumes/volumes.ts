/** The volumes of a store: `ROOT/volumes/NAME`, with the content in `_data` as podman has it. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { messageOf, P2cError, systemCode, usageError } from '../../errors.ts';
import { makeFolder, namesIn } from '../../oci/files.ts';
import { type Lock, lock } from '../../oci/lock.ts';
import { containersFolder, readRecord, replaceRecord } from '../container.ts';
import { ownedName } from '../owned-name.ts';
import { checkVolumeName } from './wish.ts';

const volumeSchema = z.object({
  name: z.string(),
  /** ISO 8601. */
  created: z.string(),
  /** Made for one container, and removed with it. */
  anonymous: z.boolean(),
  labels: z.record(z.string(), z.string()),
  /** Whether a container had it yet; unknown of one that an older p2c made. */
  used: z.boolean().optional(),
});
export type StoredVolume = z.output<typeof volumeSchema>;

export interface VolumeNature {
  readonly anonymous: boolean;
  readonly labels?: Readonly<Record<string, string>>;
}

/** For a volume that a container has for itself. */
export function newVolumeName(): string {
  return randomBytes(32).toString('hex');
}

export function volumeFolder(root: string, name: string): string {
  return join(root, 'volumes', name);
}

/** Where its content lies. */
export function volumeData(root: string, name: string): string {
  return join(volumeFolder(root, name), '_data');
}

async function lockVolumes(root: string): Promise<Lock> {
  await makeFolder(join(root, 'volumes'), 0o700);
  return lock(join(root, 'volumes', '.lock'));
}

/** Makes a volume unless it is there. @throws P2cError `volume.name` (usage). */
export async function ensureVolume(root: string, name: string, nature: VolumeNature): Promise<StoredVolume> {
  checkVolumeName(name);
  await using _ = await lockVolumes(root);
  const there = await readVolume(root, name);
  if (there !== undefined) return there;
  const volume: StoredVolume = {
    name,
    created: new Date().toISOString(),
    anonymous: nature.anonymous,
    labels: { ...nature.labels },
    used: false,
  };
  const made = join(root, 'volumes', `.${ownedName('new')}`);
  await mkdir(join(made, '_data'), { recursive: true, mode: 0o755 });
  await writeFile(join(made, 'volume.json'), JSON.stringify(volume));
  await rename(made, volumeFolder(root, name));
  return volume;
}

/** @returns undefined where there is none of that name. */
async function readVolume(root: string, name: string): Promise<StoredVolume | undefined> {
  const path = join(volumeFolder(root, name), 'volume.json');
  try {
    return volumeSchema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') return undefined;
    throw new P2cError(`${path} is not what p2c writes: ${messageOf(cause)}`, {
      code: 'volume.damaged',
      hint: `the content is in ${volumeData(root, name)}`,
      cause,
    });
  }
}

/** Notes that a container has it from now on: it is new no more, whatever becomes of its content. */
export async function markUsed(root: string, volume: StoredVolume): Promise<void> {
  await replaceRecord(volumeFolder(root, volume.name), 'volume.json', JSON.stringify({ ...volume, used: true }));
}

/** @throws P2cError `volume.unknown` (usage). */
export async function findVolume(root: string, name: string): Promise<StoredVolume> {
  checkVolumeName(name);
  const volume = await readVolume(root, name);
  if (volume !== undefined) return volume;
  throw usageError(`there is no volume '${name}'`, { code: 'volume.unknown', hint: "'p2c volume ls' lists them" });
}

/** @throws P2cError `volume.name`, `volume.exists` (usage). */
export async function refuseVolume(root: string, name: string): Promise<void> {
  checkVolumeName(name);
  if ((await readVolume(root, name)) === undefined) return;
  throw usageError(`there is a volume '${name}' already`, {
    code: 'volume.exists',
    hint: '--ignore takes it as it is',
  });
}

/** By name. */
export async function listVolumes(root: string): Promise<StoredVolume[]> {
  const found: StoredVolume[] = [];
  for (const name of (await namesIn(join(root, 'volumes'))).sort()) {
    const volume = name.startsWith('.') ? undefined : await readVolume(root, name);
    if (volume !== undefined) found.push(volume);
  }
  return found;
}

/**
 * Takes volumes and their content away.
 * @param names those that are in use are refused, all or none; with a function, those for which it is true and which are
 * not in use.
 * @returns the names of those removed.
 * @throws P2cError `volume.unknown`, `volume.in-use` (usage).
 */
export async function removeVolumes(
  root: string,
  names: readonly string[] | ((volume: StoredVolume) => boolean),
): Promise<string[]> {
  await using _ = await lockVolumes(root);
  const users = await volumeUsers(root);
  const chosen: string[] = [];
  if (typeof names === 'function') {
    for (const volume of await listVolumes(root)) {
      if (!users.has(volume.name) && names(volume)) chosen.push(volume.name);
    }
  } else {
    for (const name of names) {
      const holders = users.get((await findVolume(root, name)).name);
      if (holders !== undefined) throw inUse(name, holders);
      chosen.push(name);
    }
  }
  for (const name of chosen) await removeFolder(root, name);
  return chosen;
}

/** Renamed first: one that is half removed is none. */
async function removeFolder(root: string, name: string): Promise<void> {
  const gone = join(root, 'volumes', `.${ownedName('gone')}`);
  await rename(volumeFolder(root, name), gone);
  await rm(gone, { recursive: true, force: true });
}

function inUse(name: string, holders: readonly string[]): P2cError {
  const shown = holders.map((id) => id.slice(0, 12)).join(', ');
  return usageError(`the volume '${name}' is used by the container ${shown}`, {
    code: 'volume.in-use',
    hint: "'p2c rm' removes the container, and -v its own volumes too",
  });
}

const usedSchema = z.array(z.object({ name: z.string(), destination: z.string(), anonymous: z.boolean() }));
export type UsedVolume = z.output<typeof usedSchema>[number];

/**
 * Notes which volumes a container has, before they are made: from then on none of them is removed.
 * @param folder the container's.
 */
export async function noteVolumes(folder: string, used: readonly UsedVolume[]): Promise<void> {
  await replaceRecord(folder, 'volumes.json', JSON.stringify(used));
}

/** @param folder a container's. @throws P2cError `container.damaged`. */
export async function notedVolumes(folder: string): Promise<UsedVolume[]> {
  try {
    return await readRecord(join(folder, 'volumes.json'), usedSchema);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) return [];
    throw error;
  }
}

/** The IDs of the containers that have each volume. */
export async function volumeUsers(root: string): Promise<Map<string, string[]>> {
  const users = new Map<string, string[]>();
  for (const id of await namesIn(containersFolder(root))) {
    for (const { name } of id.startsWith('.') ? [] : await notedVolumes(join(containersFolder(root), id))) {
      users.set(name, [...(users.get(name) ?? []), id]);
    }
  }
  return users;
}
