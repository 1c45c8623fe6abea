/**
 * What of a store's networks lasts as long as the machine runs: network namespaces, leases, which bridges were made.
 * It lies in /run, so that a machine that was rebooted has none of it, as it has none of the interfaces.
 */
import { createHash } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolder } from '../../oci/files.ts';
import { type Lock, lock } from '../../oci/lock.ts';

const RUN = '/run/p2c';
const SHORT = 12;

/** A store's own part of it. */
export interface RunFolder {
  /** The namespaces of containers and of isolated networks, each a file to enter by. */
  readonly namespaces: string;
  /** host-local's leases: a folder for each network. */
  readonly leases: string;
  /** The bridges that were made by this store's networks: a file named as each. */
  readonly bridges: string;
}

/** @param root the store's. */
export function runFolder(root: string): RunFolder {
  const folder = join(RUN, storeKey(root));
  return { namespaces: join(folder, 'netns'), leases: join(folder, 'leases'), bridges: join(folder, 'bridges') };
}

/** Tells stores apart where they share the machine's names: digits of the hash of the store's place. */
export function storeKey(root: string): string {
  return createHash('sha256')
    .update(placeOf(resolve(root)))
    .digest('hex')
    .slice(0, SHORT);
}

/** Also of a store that is not there yet. */
function placeOf(path: string): string {
  return existsSync(path) ? realpathSync(path) : join(placeOf(dirname(path)), basename(path));
}

/** What host-local keeps of a network beyond its leases, and the folders where nothing else is in them. */
export async function removeLeases(root: string, network: string): Promise<void> {
  const folder = runFolder(root);
  await rm(join(folder.leases, network), { recursive: true, force: true });
  for (const path of [...Object.values(folder), dirname(folder.leases)]) await rmdir(path).catch(() => {});
}

/** Which of the machine's packet filter's chains p2c's plugins made; of all stores, for the chains are shared. */
export const CHAINS_RECORD = join(RUN, 'chains.json');

/**
 * One lock for all that changes interfaces, leases, chains and hosts files on this machine: a bridge is removed with its
 * last container, and must not be while another is put on it.
 */
export async function networkLock(): Promise<Lock> {
  await makeFolder(RUN, 0o755);
  return lock(join(RUN, 'networks.lock'));
}
