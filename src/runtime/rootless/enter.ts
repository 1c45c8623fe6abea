/** A p2c whose user is not root runs itself again as root of the store's user namespace: there the runner does its work. */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import { makeFolder } from '../../oci/files.ts';
import { lock } from '../../oci/lock.ts';
import { bootId, identifyProcess } from '../process.ts';
import { readIdMap } from './id-map.ts';
import { lackingAtSight, lackingHere, refuseLacking } from './lacking.ts';
import { findMember, readMembers, rootlessFolder, writeMembers } from './members.ts';
import { type Inner, type InnerStreams, joinNamespace, makeNamespace } from './namespace.ts';
import { ENTERED } from './user-namespace.ts';

/** Whether this p2c is its user's, and must enter the namespace for work on containers. */
export function isOutside(): boolean {
  return process.getuid?.() !== 0;
}

/** Whether containers of this store were ever run without root: what is left of them may belong to subordinate ids. */
export function hasEntered(root: string): boolean {
  return existsSync(rootlessFolder(root));
}

/**
 * Starts p2c with these words in the store's user namespace: in the one where others are, else in a new one.
 * @param root the store's; it exists.
 * @throws P2cError `rootless.*`: all that this machine lacks, before anything is made.
 */
export async function startInside(root: string, words: readonly string[], streams: InnerStreams): Promise<Inner> {
  const map = readIdMap();
  refuseLacking(lackingAtSight(map));
  await makeFolder(rootlessFolder(root), 0o700);
  await using _ = await lock(join(rootlessFolder(root), 'lock'));
  const members = await readMembers(root);
  const there = await findMember(root, members, map);
  if (there === undefined) await requireAbilities(root);
  const program = {
    words: [process.execPath, ...process.execArgv, '--', process.argv[1] ?? '', ...words],
    environment: { ...process.env, P2C_ROOT: root, [ENTERED]: String(process.getuid?.() ?? '') },
    streams,
  };
  // One that ended since cannot be joined: then nobody is there.
  const joined = there === undefined ? undefined : await joinNamespace(there, program);
  const inner = joined ?? (await makeNamespace(map, program).catch(nameAll));
  const identity = identifyProcess(inner.pid);
  await writeMembers(root, identity === undefined ? members : [...members, identity]);
  return inner;
}

/** The machine may have changed since it was tried. */
async function nameAll(error: unknown): Promise<never> {
  refuseLacking(await lackingHere());
  throw error;
}

/** Tried once after each boot: it takes longer than the start of a container. @throws P2cError `rootless.lacking`. */
async function requireAbilities(root: string): Promise<void> {
  const path = join(rootlessFolder(root), 'tried');
  const key = `${release()} ${bootId()}`;
  if ((await readFile(path, 'latin1').catch(() => '')) === key) return;
  refuseLacking(await lackingHere());
  await writeFile(path, key);
}
