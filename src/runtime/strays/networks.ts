/** What lies in the store's part of /run, and on this machine because of it, for no container that is on a network. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import { unlessDamaged } from '../container.ts';
import { listContainers } from '../containers.ts';
import { bridgeMembers, removeIdleBridge } from '../network/bridge.ts';
import { idleChains, removeIdleChains } from '../network/chains.ts';
import { removeNamespace } from '../network/namespace.ts';
import { type NetworkRecord, readNetworkRecord } from '../network/record.ts';
import { networkLock, runFolder } from '../network/run-folder.ts';
import type { Stray } from './stray.ts';

/** Each container that has a record of its network, ended or not: what its record names is not looked at here. */
interface Joined {
  readonly id: string;
  readonly record: NetworkRecord;
}

export async function networkStrays(root: string): Promise<Stray[]> {
  return [
    ...(await namespaceStrays(root)),
    ...(await leaseStrays(root)),
    ...(await bridgeStrays(root)),
    ...(await chainStrays()),
  ];
}

/** They are the machine's: nobody's rule is in them, of whatever store. */
async function chainStrays(): Promise<Stray[]> {
  const needed = async (table: string): Promise<boolean> => !(await idleChains()).includes(table);
  // Who may not look at the packet filter cannot clean it either.
  const idle = await idleChains().catch(() => []);
  return strays('chains', idle, 'networks without a container', needed, removeIdleChains);
}

async function namespaceStrays(root: string): Promise<Stray[]> {
  const { namespaces } = runFolder(root);
  const needed = async (path: string): Promise<boolean> =>
    (await joined(root)).some(
      ({ record }) => record.namespace === path || record.attachments.some(({ options }) => options.from === path),
    );
  return strays(
    'namespace',
    await pathsIn(namespaces),
    'a network or container that is no more',
    needed,
    removeNamespace,
  );
}

/** host-local's files of addresses begin with the ID of who has it (plugins/ipam/host-local/backend/disk). */
async function leaseStrays(root: string): Promise<Stray[]> {
  const found: string[] = [];
  for (const network of await pathsIn(runFolder(root).leases)) {
    found.push(...(await pathsIn(network)).filter((path) => /\/[0-9]+(?:\.[0-9]+){3}$/.test(path)));
  }
  const needed = async (path: string): Promise<boolean> => {
    const holder = (await readFile(path, 'latin1').catch(() => '')).split(/\s/)[0];
    return (await joined(root)).some(({ id }) => id === holder);
  };
  return strays('lease', found, 'a container that is on no network', needed, (path) => rm(path, { force: true }));
}

async function bridgeStrays(root: string): Promise<Stray[]> {
  const run = runFolder(root);
  const needed = async (path: string): Promise<boolean> => {
    const name = path.slice(run.bridges.length + 1);
    const used = (await joined(root)).flatMap(({ record }) =>
      record.attachments.map(({ list }) => list.p2c?.interface),
    );
    return used.includes(name) || bridgeMembers(name).length > 0;
  };
  const remove = (path: string): Promise<void> => removeIdleBridge(run, path.slice(run.bridges.length + 1));
  return strays('bridge', await pathsIn(run.bridges), 'a network without a container', needed, remove);
}

/** Looked at again under the networks' lock, in which all of it comes and goes. */
async function strays(
  kind: Stray['kind'],
  paths: readonly string[],
  of: string,
  needed: (path: string) => Promise<boolean>,
  remove: (path: string) => Promise<void>,
): Promise<Stray[]> {
  const found: Stray[] = [];
  for (const what of paths) {
    if (await needed(what)) continue;
    const removeIdle = async (): Promise<void> => {
      await using _ = await networkLock();
      if (!(await needed(what))) await remove(what);
    };
    found.push({ kind, what, of, remove: removeIdle });
  }
  return found;
}

async function joined(root: string): Promise<Joined[]> {
  const found: Joined[] = [];
  for (const { definition, folder } of await listContainers(root)) {
    const { id } = definition;
    // What it has is unknown, and nobody's to take but what is named after it.
    const unknown = { namespace: join(runFolder(root).namespaces, id), names: [], attachments: [] };
    const record = await readNetworkRecord(folder).catch((error: unknown) => unlessDamaged(error) ?? unknown);
    if (record !== undefined) found.push({ id, record });
  }
  return found;
}

async function pathsIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).map((name) => join(folder, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
