/** Puts a container's namespace on networks and takes it off, noting each step before it is taken. */
import { join } from 'node:path';
import type { Container } from '../container.ts';
import { listContainers } from '../containers.ts';
import { claimBridge, closeBridge, removeIdleBridge } from './bridge.ts';
import { type AttachmentOptions, addTo, removeFrom } from './chain.ts';
import { noteChains, removeIdleChains } from './chains.ts';
import type { Conflist } from './conflist.ts';
import { updateHosts } from './hosts.ts';
import { isNamespace, makeNamespace, removeNamespace } from './namespace.ts';
import { type Port, settlePorts } from './ports.ts';
import { type Attachment, knownNetworkRecord, type NetworkRecord, writeNetworkRecord } from './record.ts';
import { type RunFolder, runFolder } from './run-folder.ts';

/** Under the networks' lock. @throws P2cError `network.*`; what was begun is noted, for `detachAll`. */
export async function attachAll(
  root: string,
  container: Container,
  record: NetworkRecord,
  networks: readonly Conflist[],
): Promise<void> {
  const { network: request, id } = container.definition;
  const run = runFolder(root);
  const ports = request.ports.length === 0 ? [] : await settlePorts(request.ports, await takenPorts(root));
  const attachments: Attachment[] = [];
  for (const [at, network] of networks.entries()) {
    const list = withLeases(network, run);
    const wanted = at === 0 ? { address: request.address, mac: request.mac, ports } : { ports: [] };
    const options = { ...optionsFor(wanted, at), ...(await prepared(run, list)) };
    const attachment: Attachment = { list: withoutRange(list, wanted.address), options, ports: wanted.ports };
    // Noted before it is begun: whoever finds it undoes it.
    await writeNetworkRecord(container.folder, { ...record, attachments: [...attachments, attachment] });
    const result = await addTo(attachment.list, id, record.namespace, options);
    attachments.push({ ...attachment, result });
    if (list.p2c?.internal === true && list.p2c.ownBridge) await closeBridge(list.p2c.interface);
  }
  await writeNetworkRecord(container.folder, { ...record, attachments });
  await updateHosts(
    root,
    networks.map(({ name }) => name),
  );
}

function optionsFor(
  wanted: { address?: string | undefined; mac?: string | undefined; ports: readonly Port[] },
  at: number,
): AttachmentOptions {
  const words = ['IgnoreUnknown=1'];
  if (wanted.address !== undefined) words.push(`IP=${wanted.address}`);
  if (wanted.mac !== undefined) words.push(`MAC=${wanted.mac}`);
  return {
    interfaceName: `eth${at}`,
    arguments: words.join(';'),
    runtimeConfig: wanted.ports.length === 0 ? {} : { portMappings: wanted.ports },
  };
}

/** What must be there before the first plugin runs. @returns the network's own namespace, where it has one. */
async function prepared(run: RunFolder, { name, p2c }: Conflist): Promise<{ from?: string }> {
  if (p2c?.isolated === true) {
    const from = islandOf(run, name);
    if (!isNamespace(from)) {
      await removeNamespace(from);
      await makeNamespace(from);
    }
    return { from };
  }
  await noteChains();
  if (p2c?.driver === 'bridge' && p2c.ownBridge) await claimBridge(run, p2c.interface, name);
  return {};
}

/** The namespace that an isolated network's bridge lies in: what is not on the machine leads nowhere through it. */
function islandOf({ namespaces }: RunFolder, network: string): string {
  return join(namespaces, `network-${network}`);
}

/** Leases are the store's own, and end with the machine's uptime as the containers do. */
function withLeases(list: Conflist, { leases }: RunFolder): Conflist {
  const plugins = list.plugins.map((plugin) => {
    const local = plugin.ipam?.['type'] === 'host-local' && plugin.ipam['dataDir'] === undefined;
    return local ? { ...plugin, ipam: { ...plugin.ipam, dataDir: leases } } : plugin;
  });
  return { ...list, plugins };
}

/** An address that was asked for need not lie among those that are given out to others. */
function withoutRange(list: Conflist, address: string | undefined): Conflist {
  const { p2c } = list;
  if (address === undefined || p2c?.range === undefined) return list;
  const ranges = [[{ subnet: p2c.subnet, gateway: p2c.gateway }]];
  const plugins = list.plugins.map((plugin) =>
    plugin.ipam === undefined ? plugin : { ...plugin, ipam: { ...plugin.ipam, ranges } },
  );
  return { ...list, plugins };
}

async function takenPorts(root: string): Promise<Port[]> {
  const records = await Promise.all((await listContainers(root)).map(({ folder }) => knownNetworkRecord(folder)));
  return records.flatMap((record) => record?.attachments ?? []).flatMap(({ ports }) => ports);
}

/** Under the networks' lock. @throws P2cError the first failure, after all else was done. */
export async function detachAll(
  root: string,
  { definition }: Container,
  { namespace, attachments }: NetworkRecord,
): Promise<void> {
  const run = runFolder(root);
  const where = isNamespace(namespace) ? namespace : '';
  const failures: unknown[] = [];
  for (const { list, options, result } of attachments.toReversed()) {
    // Without the namespace of an isolated network there is no bridge and no interface left either.
    const from = options.from !== undefined && !isNamespace(options.from) ? undefined : options.from;
    await removeFrom(list, definition.id, where, { ...options, from }, result).catch((error: unknown) =>
      failures.push(error),
    );
    await tidy(root, run, list, definition.id).catch((error: unknown) => failures.push(error));
  }
  if (failures.length === 0) return;
  throw failures[0];
}

/** What a network has on the machine beyond its containers goes with the last of them. */
async function tidy(root: string, run: RunFolder, { name, p2c }: Conflist, leaving: string): Promise<void> {
  if (p2c?.isolated === true) {
    if ((await usersOf(root, name)).every(({ definition }) => definition.id === leaving))
      await removeNamespace(islandOf(run, name));
    return;
  }
  if (p2c?.ownBridge === true && p2c.driver === 'bridge') await removeIdleBridge(run, p2c.interface);
  await removeIdleChains();
}

/** The containers that are on a network now. */
async function usersOf(root: string, network: string): Promise<Container[]> {
  const users: Container[] = [];
  for (const container of await listContainers(root)) {
    const record = await knownNetworkRecord(container.folder);
    if (record?.attachments.some(({ list }) => list.name === network)) users.push(container);
  }
  return users;
}
