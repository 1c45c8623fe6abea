/** A container joins its networks before it starts, and leaves them when it has ended. */
import { join } from 'node:path';
import { usageError } from '../../errors.ts';
import { type Container, containerFolder, readBundle, readContainer, readState, writeBundle } from '../container.ts';
import { rootOf } from '../place.ts';
import type { Bundle } from '../spec.ts';
import { addressInUse, claimants } from './address-holder.ts';
import { attachAll, detachAll } from './attachments.ts';
import type { Conflist } from './conflist.ts';
import { updateHosts } from './hosts.ts';
import { makeNamespace, removeNamespace } from './namespace.ts';
import { findNetwork } from './networks.ts';
import { type NetworkRecord, readNetworkRecord, removeNetworkRecord, writeNetworkRecord } from './record.ts';
import { networkLock, runFolder } from './run-folder.ts';

/**
 * Makes the container's network namespace, puts it on its networks and names it in the bundle.
 * @returns the bundle to start.
 * @throws P2cError `network.*`; nothing of it stays then.
 */
export async function joinNetworks(container: Container): Promise<Bundle> {
  const bundle = await readBundle(container.folder);
  const { mode } = container.definition.network;
  if (mode === 'none' || mode === 'host') return bundle;
  const path = mode === 'container' ? await sharedNamespace(container) : await ownNamespace(container, bundle.hostname);
  const namespaces = bundle.linux.namespaces.map((each) => (each.type === 'network' ? { ...each, path } : each));
  const joined = { ...bundle, linux: { ...bundle.linux, namespaces } };
  await writeBundle(container.folder, joined);
  return joined;
}

/**
 * Leaves all networks and takes the namespace away; does nothing where that was done. Also for a container whose p2c was
 * killed, at whatever moment.
 * @throws P2cError `network.*` where a plugin fails; what is left stays noted, and it can be tried again.
 */
export async function leaveNetworks(container: Container): Promise<void> {
  if ((await readNetworkRecord(container.folder)) === undefined) return;
  await using _ = await networkLock();
  await leave(container);
}

/**
 * Puts a running container on the networks that its definition names now, its processes undisturbed.
 * @throws P2cError `network.*`; the container is then on none of them, but for an address that is taken: it stays where it was.
 */
export async function changeNetworks(container: Container): Promise<void> {
  const networks = await networksOf(container);
  await using _ = await networkLock();
  const record = await readNetworkRecord(container.folder);
  if (record === undefined) return;
  const root = rootOf(container.folder);
  await freeAddress(root, container);
  await detachAll(root, container, record);
  const bare = { ...record, attachments: [] };
  await writeNetworkRecord(container.folder, bare);
  await updateHosts(root, namesIn(record));
  await attachAll(root, container, bare, networks);
}

async function networksOf({ folder, definition }: Container): Promise<Conflist[]> {
  const networks: Conflist[] = [];
  for (const name of definition.network.networks) networks.push(await findNetwork(rootOf(folder), name));
  return networks;
}

async function ownNamespace(container: Container, hostname: string): Promise<string> {
  const networks = await networksOf(container);
  const root = rootOf(container.folder);
  const { id, name } = container.definition;
  const namespace = join(runFolder(root).namespaces, id);
  await using _ = await networkLock();
  // What a p2c that was killed, or a machine that went down, had no time for.
  await leave(container);
  await freeAddress(root, container);
  try {
    const record = { namespace, names: [...new Set([hostname, name, id.slice(0, 12)])], attachments: [] };
    await writeNetworkRecord(container.folder, record);
    await makeNamespace(namespace);
    await attachAll(root, container, record, networks);
  } catch (error) {
    await leave(container).catch(() => {});
    throw error;
  }
  return namespace;
}

/**
 * Under the networks' lock. Of those that ended without p2c the address is taken back.
 * @throws P2cError `network.address-in-use` (usage) where another container runs with it.
 */
async function freeAddress(root: string, { definition }: Container): Promise<void> {
  const { address, networks } = definition.network;
  const [network] = networks;
  if (address === undefined || network === undefined) return;
  const claim = { network, address, own: definition.id };
  for (const holder of await claimants(root, claim)) {
    // Not started yet, it has nothing; whoever starts first does.
    if (holder.status === 'created') continue;
    if (holder.status !== 'exited') throw addressInUse(claim, holder);
    await leave(holder.container);
  }
}

async function sharedNamespace({ folder: own, definition }: Container): Promise<string> {
  const id = definition.network.container ?? '';
  const folder = containerFolder(rootOf(own), id);
  const state = await readState(folder).catch((cause: unknown) => {
    throw usageError(`the container ${id.slice(0, 12)}, whose network is to be shared, is gone`, {
      code: 'network.container',
      cause,
    });
  });
  if (state.status === 'running' && state.init !== undefined) return `/proc/${state.init.pid}/ns/net`;
  const other = (await readContainer(folder)).definition.name;
  throw usageError(`the container '${other}', whose network is to be shared, is not running`, {
    code: 'network.container',
    hint: `p2c start ${other}`,
  });
}

async function leave(container: Container): Promise<void> {
  const record = await readNetworkRecord(container.folder);
  if (record === undefined) return;
  const root = rootOf(container.folder);
  await detachAll(root, container, record);
  await removeNamespace(record.namespace);
  await removeNetworkRecord(container.folder);
  await updateHosts(root, namesIn(record));
}

function namesIn({ attachments }: NetworkRecord): string[] {
  return attachments.map(({ list }) => list.name);
}
