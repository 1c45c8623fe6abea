/**
 * The processes in a store's user namespace. All of p2c's that are at work on one store, and its containers, share one:
 * whoever is in another may not enter a container, nor signal what runs in it. It lasts as long as anybody is in it, and
 * nothing else keeps it: the next call joins who is there, or makes a new one with the same ids.
 *
 * The record lies in the store and not in XDG_RUNTIME_DIR: a user's sessions, a cron job for one, need not have the same,
 * and have the same containers. It names processes by their start, and the boot they belong to: a reboot makes it void.
 */
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { stateOrGone } from '../container.ts';
import { listContainers } from '../containers.ts';
import { bootId, isAlive, type ProcessIdentity } from '../process.ts';
import { type IdMap, mapTriples } from './id-map.ts';
import { mapOf, namespaceOf, normal } from './user-namespace.ts';

const membersSchema = z.object({
  boot: z.string(),
  members: z.array(z.object({ pid: z.int(), startTime: z.string() })),
});

/** Where a store's records of it are; there where containers were ever run without root. */
export function rootlessFolder(root: string): string {
  return join(root, 'rootless');
}

/** Those that p2c noted and that live. */
export async function readMembers(root: string): Promise<ProcessIdentity[]> {
  try {
    const { boot, members } = membersSchema.parse(JSON.parse(await readFile(file(root), 'utf8')));
    return boot === bootId() ? members.filter(isAlive) : [];
  } catch {
    // Not there yet, or of a version to come: the containers' own records are left.
    return [];
  }
}

export async function writeMembers(root: string, members: readonly ProcessIdentity[]): Promise<void> {
  const temporary = `${file(root)}.${process.pid}`;
  await writeFile(temporary, JSON.stringify({ boot: bootId(), members }));
  await rename(temporary, file(root));
}

/** One who is in the store's namespace, with the ids that the user has now. */
export async function findMember(
  root: string,
  members: readonly ProcessIdentity[],
  map: IdMap,
): Promise<ProcessIdentity | undefined> {
  const own = namespaceOf('self');
  const wanted = { uids: textOf(map.uids), gids: textOf(map.gids) };
  for (const one of [...members, ...(await containerProcesses(root))]) {
    const namespace = isAlive(one) ? namespaceOf(one.pid) : undefined;
    const found = namespace === undefined || namespace === own ? undefined : mapOf(one.pid);
    if (found !== undefined && normal(found.uids) === wanted.uids && normal(found.gids) === wanted.gids) return one;
  }
  return undefined;
}

function textOf(ranges: IdMap['uids']): string {
  return mapTriples(ranges)
    .map((words) => words.join(' '))
    .join('\n');
}

/** Where a monitor was killed, its container goes on. A record that cannot be read is for the verb itself to tell of. */
async function containerProcesses(root: string): Promise<ProcessIdentity[]> {
  const found: ProcessIdentity[] = [];
  for (const { folder } of await listContainers(root).catch(() => [])) {
    const state = await stateOrGone(folder).catch(() => undefined);
    if (state?.boot !== bootId()) continue;
    for (const one of [state.monitor, state.engine, state.init]) if (one !== undefined) found.push(one);
  }
  return found;
}

function file(root: string): string {
  return join(rootlessFolder(root), 'members.json');
}
