/** Files that processes left which are gone: in the store, and among this machine's temporary ones. */
import { existsSync, lstatSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import { P2cError, systemCode } from '../../errors.ts';
import { removeCgroups } from '../cgroup/container-cgroup.ts';
import { containerFolder, readBundle } from '../container.ts';
import { commandLines, engineProcesses } from '../engines/engine-processes.ts';
import { storeLeftovers } from '../leftovers.ts';
import { freeName, staleNames } from '../names.ts';
import { leftIn, TEMPORARY } from '../owned-name.ts';
import { killTree } from '../process.ts';
import type { Stray } from './stray.ts';

export async function fileStrays(root: string): Promise<Stray[]> {
  const killed = 'a p2c that was killed';
  const left = (await storeLeftovers(root)).map((path) => file(path, killed, () => removeTree(path)));
  const temporary = (await leftIn(tmpdir(), TEMPORARY))
    .filter(isOwn)
    .map((path) => file(path, killed, () => removeTemporary(root, path)));
  const names = (await staleNames(root)).map((name) => ({
    ...file(name, 'a container that is no more', () => freeName(root, name)),
    kind: 'name' as const,
  }));
  return [...left, ...temporary, ...names];
}

/**
 * For root too: anybody may make a folder of such a name there, or a link to one that is root's, and what a folder says of
 * cgroups is believed.
 */
function isOwn(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.uid === process.getuid?.();
}

function file(what: string, of: string, remove: () => Promise<void>): Stray {
  return { kind: 'file', what, of, remove };
}

function removeTree(path: string): Promise<void> {
  return rm(path, { recursive: true, force: true });
}

/** That of a probe is a container's, with all that a container has. */
async function removeTemporary(root: string, path: string): Promise<void> {
  // A link is nothing but itself.
  if (basename(path).startsWith(`${TEMPORARY}probe-`) && lstatSync(path).isDirectory()) {
    for (const each of engineProcesses(path, commandLines())) killTree(each);
    const id = await cgroupIn(path);
    if (id !== undefined && !existsSync(containerFolder(root, id))) await removeCgroups(id);
  }
  await removeTree(path);
}

/** Undefined where the probe came to none. */
async function cgroupIn(folder: string): Promise<string | undefined> {
  try {
    return /^\/p2c-([0-9a-f]{64})$/.exec((await readBundle(folder)).linux.cgroupsPath)?.[1];
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || error instanceof P2cError) return undefined;
    throw error;
  }
}
