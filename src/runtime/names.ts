/**
 * The names of a store's containers: `ROOT/containers/names/NAME` holds the ID of the one that has it. Whole from the moment
 * that it is there, also over a power cut; one whose container is gone is stale, and taken away under a lock alone.
 */
import { existsSync } from 'node:fs';
import { link, open, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type P2cError, systemCode, usageError } from '../errors.ts';
import { namesIn } from '../oci/files.ts';
import { type Lock, lock } from '../oci/lock.ts';
import { containerFolder, containersFolder } from './container.ts';
import { ownedName } from './owned-name.ts';

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
export const ID = /^[0-9a-f]{64}$/;
/** An older p2c wrote the ID after it had made the file. Milliseconds. */
const WRITING_TAKES = 60_000;

export function isName(word: string): boolean {
  return NAME.test(word) && !ID.test(word);
}

/** @throws P2cError `container.name` (usage). */
export function checkName(name: string): void {
  if (isName(name)) return;
  throw usageError(`'${name}' is no name for a container`, {
    code: 'container.name',
    hint: 'up to 128 letters, digits, dots, dashes and underscores, the first a letter or digit',
  });
}

/** Early, before anything slow; `takeName` has the last word. @throws P2cError `container.name-in-use` (usage). */
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

/** @throws P2cError `container.name-in-use` (usage). */
export async function takeName(root: string, name: string, id: string): Promise<void> {
  const written = join(namesFolder(root), `.${ownedName('name')}`);
  try {
    await writeWhole(written, id);
    for (;;) {
      try {
        return await link(written, nameFile(root, name));
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
      await refuseTakenName(root, name);
      await freeName(root, name);
    }
  } finally {
    await rm(written, { force: true });
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Undefined where a name is left over from a container that is gone, or holds no ID and never will. */
export async function holderOf(root: string, name: string): Promise<string | undefined> {
  try {
    const id = await readFile(nameFile(root, name), 'utf8');
    if (ID.test(id)) {
      await stat(containerFolder(root, id));
      return id;
    }
    const { mtimeMs } = await stat(nameFile(root, name));
    return Date.now() - mtimeMs > WRITING_TAKES ? undefined : '(being made)';
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Names that a killed removal left taken. */
export async function staleNames(root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await namesIn(namesFolder(root))) {
    if (NAME.test(name) && (await holderOf(root, name)) === undefined) stale.push(name);
  }
  return stale;
}

/** @returns undefined where no name was taken for it. */
export async function nameOf(root: string, id: string): Promise<string | undefined> {
  for (const name of await namesIn(namesFolder(root))) {
    if (NAME.test(name) && (await holderOf(root, name)) === id) return name;
  }
  return undefined;
}

/** Frees a stale name. Looked at again under the lock: a container may have it by now, and keeps it. */
export async function freeName(root: string, name: string): Promise<void> {
  await using _ = await lockNames(root);
  // A name that is there stays there while the lock is held; one that is free may be taken at any time.
  if (!existsSync(nameFile(root, name))) return;
  if ((await holderOf(root, name)) === undefined) await rm(nameFile(root, name), { force: true });
}

/** @param id of a container that is gone: another that took the name meanwhile keeps it. */
export async function giveNameBack(root: string, name: string, id: string): Promise<void> {
  await using _ = await lockNames(root);
  if ((await readFile(nameFile(root, name), 'utf8').catch(() => '')) === id) await rm(nameFile(root, name));
}

function lockNames(root: string): Promise<Lock> {
  return lock(join(root, 'names.lock'));
}

function namesFolder(root: string): string {
  return join(containersFolder(root), 'names');
}

function nameFile(root: string, name: string): string {
  return join(namesFolder(root), name);
}
