/** The containers of a store: made, found by name or ID, listed, taken away. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError, systemCode, usageError } from '../errors.ts';
import { makeFolder, namesIn } from '../oci/files.ts';
import { type Container, containerFolder, containersFolder, readContainer, unlessDamaged } from './container.ts';
import { checkName, giveNameBack, holderOf, ID, isName, takeName } from './names.ts';
import { isAlive, ownIdentity } from './process.ts';

const GONE = '.gone-';
/** Who makes a container, as `PID START`: until its records are there, only this tells whether they will be. */
const MAKER = 'maker';
/** A folder without that too is as good as new, or of one who was killed at once: milliseconds tell them apart. */
const MAKING_TAKES = 60_000;

/** A new container's ID and folder, its name taken for it alone. */
export async function reserve(root: string, wanted: string | undefined): Promise<{ id: string; name: string }> {
  const id = randomBytes(32).toString('hex');
  const name = wanted ?? `p2c-${id.slice(0, 8)}`;
  checkName(name);
  await makeFolder(join(containersFolder(root), 'names'), 0o700);
  await sweep(root);
  await mkdir(containerFolder(root, id), { mode: 0o700 });
  try {
    const { pid, startTime } = ownIdentity();
    await writeFile(join(containerFolder(root, id), MAKER), `${pid} ${startTime}`);
    await takeName(root, name, id);
  } catch (error) {
    await rm(containerFolder(root, id), { recursive: true, force: true });
    throw error;
  }
  return { id, name };
}

/** By creation, the newest first; those whose definition is damaged are passed over. */
export async function listContainers(root: string): Promise<Container[]> {
  const found: Container[] = [];
  for (const id of await containerIds(root)) {
    const container = await readOrMissing(root, id).catch(unlessDamaged);
    if (container !== undefined) found.push(container);
  }
  return found.sort((a, b) => b.definition.created.localeCompare(a.definition.created));
}

/** By name, by ID, or by the beginning of one ID. @throws P2cError `container.unknown`, `container.ambiguous` (usage). */
export async function findContainer(root: string, word: string): Promise<Container> {
  const named = isName(word) ? await holderOf(root, word) : undefined;
  const ids = /^[0-9a-f]{3,64}$/.test(word) ? (await containerIds(root)).filter((id) => id.startsWith(word)) : [];
  const candidates = named === undefined ? ids : [named];
  if (candidates.length > 1) {
    throw usageError(`'${word}' is the beginning of ${candidates.length} containers' IDs`, {
      code: 'container.ambiguous',
      hint: "give more digits, or the name: 'p2c ps -a' lists both",
    });
  }
  const container = candidates[0] === undefined ? undefined : await readOrMissing(root, candidates[0]);
  if (container !== undefined) return container;
  throw usageError(`there is no container '${word}'`, {
    code: 'container.unknown',
    hint: "'p2c ps -a' lists them all",
  });
}

/** IDs of containers that are being removed, or were when their p2c was killed. */
export async function removedIds(root: string): Promise<string[]> {
  const names = await namesIn(containersFolder(root));
  return names.flatMap((name) => (name.startsWith(GONE) ? [name.slice(GONE.length)] : [])).filter((id) => ID.test(id));
}

export async function containerIds(root: string): Promise<string[]> {
  return (await namesIn(containersFolder(root))).filter((name) => ID.test(name));
}

/** Undefined for one that is being made or removed just now. */
async function readOrMissing(root: string, id: string): Promise<Container | undefined> {
  try {
    return await readContainer(containerFolder(root, id));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Takes a container's name and folder away; its processes are gone by then. Killed in the middle, it leaves a folder
 * that the next call sweeps.
 */
export async function discard(root: string, { id, name }: { id: string; name: string }): Promise<void> {
  const gone = join(containersFolder(root), `${GONE}${id}`);
  try {
    await rename(containerFolder(root, id), gone);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  try {
    await rm(gone, { recursive: true, force: true });
  } catch (cause) {
    throw new P2cError(`the files of the container ${id.slice(0, 12)} could not all be removed`, {
      code: 'container.remove',
      hint: `see what holds ${gone}`,
      cause,
    });
  }
  // Last: its lock is a file, and a full disk has room for that only now. Until then the name is stale, and anybody's to take.
  await giveNameBack(root, name, id);
}

/** Removes what killed calls left. */
export async function sweep(root: string): Promise<void> {
  for (const path of await abandonedFolders(root)) await rm(path, { recursive: true, force: true });
}

/** Folders of containers that were never made, or not wholly removed. */
export async function abandonedFolders(root: string): Promise<string[]> {
  const folder = containersFolder(root);
  const found: string[] = [];
  for (const name of await namesIn(folder)) {
    const path = join(folder, name);
    if (name.startsWith(GONE) || (ID.test(name) && (await isAbandoned(path)))) found.push(path);
  }
  return found;
}

async function isAbandoned(path: string): Promise<boolean> {
  try {
    if ((await namesIn(path)).includes('container.json')) return false;
    const [pid, startTime] = (await readFile(join(path, MAKER), 'utf8').catch(() => '')).split(' ');
    if (startTime !== undefined && isAlive({ pid: Number(pid), startTime })) return false;
    return startTime !== undefined || Date.now() - (await stat(path)).mtimeMs > MAKING_TAKES;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
