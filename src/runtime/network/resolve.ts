/** From what the options of `run` say to what a container asks of the network, before anything is made. */
import { type P2cError, usageError } from '../../errors.ts';
import { findContainer } from '../containers.ts';
import { isRootless } from '../rootless/user-namespace.ts';
import { formatSubnet, holds, parseAddress, parseSubnet } from './address.ts';
import { refuseTakenAddress } from './address-holder.ts';
import type { Conflist } from './conflist.ts';
import { DEFAULT_NETWORK, networkOrPlan } from './create.ts';
import { findNetwork } from './networks.ts';
import { requirePlugins } from './plugin.ts';
import { exposedPorts, type Port } from './ports.ts';
import type { NetworkRequest } from './request.ts';

export interface NetworkWish {
  /** `none`, `host`, `container:NAME`, `bridge`, or names of networks. */
  readonly networks: readonly string[];
  readonly address?: string | undefined;
  readonly mac?: string | undefined;
  readonly ports: readonly Port[];
  /** All that the image exposes, and `expose`. */
  readonly publishAll: boolean;
  readonly expose: readonly Port[];
  readonly dns: readonly string[];
  readonly search: readonly string[];
  readonly hosts: readonly string[];
  /** On an isolated network, and what acts by itself held back. */
  readonly quarantine: boolean;
}

/** The network of containers that are held in quarantine. */
const QUARANTINE_NETWORK = 'quarantine';

/** Of the networks that come with their first use (`provideNetworks`): whether it is isolated. Undefined for all others. */
export function isolationOfNew(name: string): boolean | undefined {
  if (name === DEFAULT_NETWORK) return false;
  return name === QUARANTINE_NETWORK ? true : undefined;
}

/**
 * Makes nothing, so that one that is refused leaves nothing.
 * @param root the store's.
 * @param exposed the image's `ExposedPorts`.
 * @param own ID of the container, where there is one already.
 * @throws P2cError `network.*` (usage).
 */
export async function networkRequest(
  root: string,
  wish: NetworkWish,
  exposed: Readonly<Record<string, unknown>>,
  own?: string,
): Promise<NetworkRequest> {
  const names = namesOf(wish);
  const files = { dns: [...wish.dns], search: [...wish.search], hosts: [...wish.hosts] };
  const bare = { ...files, networks: [], ports: [] };
  const special = names.find((name) => name === 'none' || name === 'host' || name.startsWith('container:'));
  if (special === undefined) {
    if (isRootless()) throw withoutRoot(names, wish);
    const networks = await namedNetworks(root, names, wish.quarantine);
    const ports = portsOf(wish, exposed);
    checkAddress(networks[0], wish.address);
    checkPorts(networks[0], ports);
    const { address, mac } = wish;
    const network = networks[0]?.name;
    if (network !== undefined && address !== undefined) await refuseTakenAddress(root, { network, address, own });
    return { mode: 'networks', networks: networks.map(({ name }) => name), address, mac, ports, ...files };
  }
  checkAlone(special, names, wish);
  if (special === 'none' || special === 'host') return { mode: special, ...bare };
  const other = await findContainer(root, special.slice('container:'.length));
  return { mode: 'container', container: other.definition.id, ...bare };
}

/** Bridges, their addresses and the packet filter are the machine's: nobody but its root changes them. */
function withoutRoot(
  names: readonly string[],
  { ports, publishAll, address, mac, networks, quarantine }: NetworkWish,
): P2cError {
  const option = quarantine ? '--quarantine' : networks.length > 0 ? `--network ${networks.join(',')}` : undefined;
  const published = ports.length > 0 ? '-p' : publishAll ? '-P' : undefined;
  const asked =
    option ?? published ?? (address !== undefined ? '--ip' : mac !== undefined ? '--mac-address' : names[0]);
  return refused(
    `${asked ?? '--network'} takes a network of this machine, and only root makes one`,
    '--network host shares the machine’s own, where ports from 1024 on can be listened on; container:NAME another container’s; none is the default; or sudo p2c run …',
  );
}

function namesOf({ networks, quarantine, address, mac, ports, publishAll }: NetworkWish): string[] {
  if (networks.length > 0) return [...new Set(networks.map((name) => (name === 'bridge' ? DEFAULT_NETWORK : name)))];
  if (quarantine) return [QUARANTINE_NETWORK];
  const wanted = address !== undefined || mac !== undefined || ports.length > 0 || publishAll;
  return [wanted ? DEFAULT_NETWORK : 'none'];
}

function checkAlone(special: string, names: readonly string[], wish: NetworkWish): void {
  if (names.length > 1) throw refused(`--network ${special} goes with no other network`);
  if (wish.quarantine) throw refused(`--quarantine has an isolated network, and --network ${special} is none`);
  if (wish.address !== undefined) throw refused(`--ip goes with no --network ${special}`);
  if (wish.mac !== undefined) throw refused(`--mac-address goes with no --network ${special}`);
  if (wish.ports.length > 0) throw refused(`-p goes with no --network ${special}: there is nothing to publish from`);
  // On the machine's own network all ports are its own.
  if (wish.publishAll && special !== 'host') throw refused(`-P goes with no --network ${special}`);
}

async function namedNetworks(root: string, names: readonly string[], quarantine: boolean): Promise<Conflist[]> {
  const networks: Conflist[] = [];
  for (const name of names) {
    // A network of quarantine that is none yet is for those that are held in it.
    const isolated = quarantine || name !== QUARANTINE_NETWORK ? isolationOfNew(name) : undefined;
    networks.push(isolated === undefined ? await findNetwork(root, name) : await networkOrPlan(root, name, isolated));
  }
  const open = quarantine ? networks.find(({ p2c }) => p2c?.isolated !== true) : undefined;
  if (open !== undefined) {
    throw refused(
      `--quarantine needs an isolated network, and '${open.name}' is none`,
      `leave out --network, or make one: p2c network create --isolated NAME`,
    );
  }
  requirePlugins(['loopback', ...networks.flatMap(({ plugins }) => plugins.map(({ type }) => type))]);
  return networks;
}

function portsOf({ ports, publishAll, expose }: NetworkWish, exposed: Readonly<Record<string, unknown>>): Port[] {
  const all = publishAll ? [...exposedPorts(exposed), ...expose] : [];
  // Each once, however often it is exposed.
  const door = ({ containerPort, protocol }: Port): string => `${containerPort}/${protocol}`;
  const published = new Set(ports.map(door));
  const more = new Map(all.map((port) => [door(port), port]));
  return [...ports, ...[...more.values()].filter((port) => !published.has(door(port)))];
}

/** @throws P2cError `network.options` (usage). */
export function checkAddress(network: Conflist | undefined, text: string | undefined): void {
  const subnet = parseSubnet(network?.p2c?.subnet ?? '');
  const address = parseAddress(text ?? '');
  if (network === undefined || subnet === undefined || address === undefined) return;
  const free = holds(subnet, address) && address !== subnet.base && text !== network.p2c?.gateway;
  if (free) return;
  const why = text === network.p2c?.gateway ? 'its gateway' : `not in its subnet ${formatSubnet(subnet)}`;
  throw refused(`--ip ${text} cannot be had on the network '${network.name}': it is ${why}`);
}

function checkPorts(network: Conflist | undefined, ports: readonly Port[]): void {
  if (network === undefined || ports.length === 0) return;
  if (network.plugins.some(({ type }) => type === 'portmap')) return;
  const why = network.p2c?.isolated === true ? 'is isolated' : 'has no plugin for it';
  const hint =
    network.p2c?.isolated === true
      ? 'leave out -p and -P; an --internal network has no way out either, and this machine reaches it'
      : 'leave out -p and -P: its containers are reached at their own addresses';
  throw refused(`no port can be published from the network '${network.name}': it ${why}`, hint);
}

function refused(what: string, hint?: string): P2cError {
  return usageError(what, { code: 'network.options', ...(hint === undefined ? {} : { hint }) });
}
