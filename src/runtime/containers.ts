/** The containers of a store: made, found by name or ID, listed, taken away. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError, systemCode, usageError } from '../errors.ts';
import { makeFolder, namesIn } from '../oci/files.ts';
import { type Container, containerFolder, containersFolder, readContainer, unlessDamaged } from './container.ts';
import { ownedName } from './owned-name.ts';
import { isAlive, ownIdentity } from './process.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const ID = /^[0-9a-f]{64}$/;
const GONE = '.gone-';
/** Who makes a container, as `PID START`: until its records are there, only this tells whether they will be. */
const MAKER = 'maker';
/** A folder without that too is as good as new, or of one who was killed at once: milliseconds tell them apart. */
const MAKING_TAKES = 60_000;

/** @throws P2cError `container.name` (usage). */
export function checkName(name: string): void {
  if (NAME.test(name) && !ID.test(name)) return;
  throw usageError(`'${name}' is no name for a container`, {
    code: 'container.name',
    hint: 'up to 128 letters, digits, dots, dashes and underscores, the first a letter or digit',
  });
}

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

/** Early, before anything slow; `reserve` has the last word. @throws P2cError `container.name-in-use` (usage). */
export async function refuseTakenName(root: string, name: string): Promise<void> {
  checkName(name);
  const holder = await holderOf(root, name);
  if (holder !== undefined) throw nameInUse(name, holder);
}

function nameInUse(name: string, holder: string): P2cError {
  return usageError(`the name '${name}' is in use by the container ${holder.slice(0, 12)}`, {
    code: 'container.name-in-use',
    hint: `'p2c rm ${name}' removes that container; '--name' gives this one another name`,
  });
}

async function takeName(root: string, name: string, id: string): Promise<void> {
  for (;;) {
    try {
      return await writeFile(nameFile(root, name), id, { flag: 'wx' });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
    const holder = await holderOf(root, name);
    if (holder !== undefined) throw nameInUse(name, holder);
    await rm(nameFile(root, name), { force: true });
  }
}

/** Undefined where a name is left over from a container that is gone. */
async function holderOf(root: string, name: string): Promise<string | undefined> {
  try {
    const id = await readFile(nameFile(root, name), 'utf8');
    // Written in one go after it was made: a moment in between it is empty.
    if (id === '') return '(being made)';
    await stat(containerFolder(root, id));
    return id;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function nameFile(root: string, name: string): string {
  return join(containersFolder(root), 'names', name);
}

/** Names that a killed removal left taken. */
export async function staleNames(root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await namesIn(join(containersFolder(root), 'names'))) {
    if (NAME.test(name) && (await holderOf(root, name)) === undefined) stale.push(name);
  }
  return stale;
}

/** @returns undefined where no name was taken for it. */
export async function nameOf(root: string, id: string): Promise<string | undefined> {
  for (const name of await namesIn(join(containersFolder(root), 'names'))) {
    if (NAME.test(name) && (await holderOf(root, name)) === id) return name;
  }
  return undefined;
}

/** Frees such a name. Taken out first and looked at then: a container may have it by now, and keeps it. */
export async function freeName(root: string, name: string): Promise<void> {
  const aside = join(containersFolder(root), 'names', `.${ownedName('name')}`);
  try {
    await rename(nameFile(root, name), aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  const id = await readFile(aside, 'utf8');
  if (id === '' || existsSync(containerFolder(root, id))) await link(aside, nameFile(root, name));
  await rm(aside);
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
  const named = NAME.test(word) && !ID.test(word) ? await holderOf(root, word) : undefined;
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
  if ((await readFile(nameFile(root, name), 'utf8').catch(() => '')) === id) await rm(nameFile(root, name));
  try {
    await rm(gone, { recursive: true, force: true });
  } catch (cause) {
    throw new P2cError(`the files of the container ${id.slice(0, 12)} could not all be removed`, {
      code: 'container.remove',
      hint: `see what holds ${gone}`,
      cause,
    });
  }
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
