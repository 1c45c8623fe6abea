/** Makes a network of what its user asked for, and of what is free. */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { usageError } from '../../errors.ts';
import {
  firstOf,
  formatAddress,
  formatSubnet,
  holds,
  lastOf,
  overlap,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './address.ts';
import { interfaceExists, isBridge } from './bridge.ts';
import { type Conflist, conflistOf, type NetworkWishes } from './conflist.ts';
import {
  checkNetworkName,
  listNetworks,
  networkId,
  networkNamed,
  refuseTakenNetworkName,
  writeNetwork,
} from './networks.ts';
import { findPlugin, requirePlugins } from './plugin.ts';
import { networkLock, storeKey } from './run-folder.ts';

export interface NetworkOptions {
  readonly driver: 'bridge' | 'macvlan';
  readonly interface?: string | undefined;
  readonly subnet?: string | undefined;
  readonly range?: string | undefined;
  readonly gateway?: string | undefined;
  readonly internal: boolean;
  readonly isolated: boolean;
}

/** The network of a container that asked for a port or an address, and named none. */
export const DEFAULT_NETWORK = 'p2c';

/** 10.90.N.0/24: podman begins at 10.88, docker at 172.17, libvirt at 192.168.122. */
const POOL = parseAddress('10.90.0.0') ?? 0;
const POOL_SIZE = 256;
/** netdevice(7): IFNAMSIZ with the zero at the end is 16. */
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,14}$/;

/** @throws P2cError `network.*` (usage) before anything is made. */
export async function createNetwork(root: string, name: string, options: NetworkOptions): Promise<Conflist> {
  checkNetworkName(name);
  checkTogether(options);
  requirePlugins([options.driver, 'host-local', 'loopback']);
  await using _ = await networkLock();
  // Awaited here, while the lock is held.
  return await writtenNetwork(root, name, options);
}

/** The network of that name, or what it would be if it were made now. */
export async function networkOrPlan(root: string, name: string, isolated: boolean): Promise<Conflist> {
  return (await networkNamed(root, name)) ?? (await plannedNetwork(root, name, ofItself(isolated)));
}

/** Makes it with the first use. */
export async function networkOrNew(root: string, name: string, isolated: boolean): Promise<Conflist> {
  const found = await networkNamed(root, name);
  if (found !== undefined) return found;
  requirePlugins(['bridge', 'host-local', 'loopback']);
  await using _ = await networkLock();
  const made = await networkNamed(root, name);
  return made ?? (await writtenNetwork(root, name, ofItself(isolated)));
}

function ofItself(isolated: boolean): NetworkOptions {
  return { driver: 'bridge', internal: false, isolated };
}

async function writtenNetwork(root: string, name: string, options: NetworkOptions): Promise<Conflist> {
  // Before its bridge, which is named after it, is seen to be taken too.
  await refuseTakenNetworkName(root, name);
  const network = await plannedNetwork(root, name, options);
  await writeNetwork(root, network);
  return network;
}

async function plannedNetwork(root: string, name: string, options: NetworkOptions): Promise<Conflist> {
  const wishes = await wishesOf(root, name, options);
  const network = conflistOf(name, wishes, findPlugin('firewall') !== undefined);
  requirePlugins(network.plugins.map(({ type }) => type));
  return network;
}

function checkTogether({ driver, internal, isolated, interface: name, subnet, range, gateway }: NetworkOptions): void {
  if (driver === 'macvlan' && name === undefined) {
    throw refused('a macvlan network lies on an interface of this machine', '--interface-name eth0');
  }
  if (driver === 'macvlan' && subnet === undefined) {
    throw refused(
      'a macvlan network needs --subnet: its addresses are those of the network outside',
      '--subnet 192.168.7.0/24 --gateway 192.168.7.1',
    );
  }
  if (driver === 'macvlan' && (internal || isolated)) {
    throw refused(
      'a macvlan network lies on the network outside, and cannot be kept from it',
      'leave out --internal and --isolated',
    );
  }
  if (internal && isolated) {
    throw refused(
      '--internal and --isolated contradict each other: an internal network leads to this machine, an isolated one nowhere',
      'leave one of them out',
    );
  }
  if (isolated && name !== undefined) {
    throw refused(
      'the bridge of an isolated network is on no interface of this machine',
      'leave out --interface-name, or use --internal',
    );
  }
  if (name !== undefined && !INTERFACE.test(name)) {
    throw refused(`'${name}' is no name for an interface`, 'up to 15 letters, digits, dots, dashes and underscores');
  }
  if (subnet === undefined && (range !== undefined || gateway !== undefined)) {
    throw refused('--ip-range and --gateway lie in a subnet, and none is given', '--subnet 172.16.0.0/24');
  }
}

async function wishesOf(root: string, name: string, options: NetworkOptions): Promise<NetworkWishes> {
  const bridge = options.interface ?? `p2c-${storeKey(root).slice(0, 4)}${networkId(name).slice(0, 6)}`;
  const ownBridge = options.driver === 'bridge' && !(await isForeign(root, bridge, options));
  const subnet = await subnetOf(root, options, ownBridge);
  return {
    created: new Date().toISOString(),
    driver: options.driver,
    interface: bridge,
    subnet: formatSubnet(subnet),
    gateway: formatAddress(gatewayOf(subnet, options.gateway)),
    ...(options.range === undefined ? {} : { range: formatSubnet(rangeOf(subnet, options.range)) }),
    internal: options.internal,
    isolated: options.isolated,
    ownBridge,
  };
}

/** Whether the interface was there before, made by somebody else. */
async function isForeign(root: string, name: string, { driver, isolated }: NetworkOptions): Promise<boolean> {
  const others = await listNetworks(root);
  const same = others.find(({ p2c }) => p2c?.driver === 'bridge' && p2c.interface === name && p2c.ownBridge);
  if (same !== undefined && !isolated) {
    throw refused(`the bridge ${name} is that of the network '${same.name}'`, 'name another with --interface-name');
  }
  if (isolated || !interfaceExists(name)) return false;
  if (driver === 'bridge' && !isBridge(name)) {
    throw refused(
      `the interface ${name} is no bridge`,
      `-d macvlan --interface-name ${name} puts containers beside it`,
    );
  }
  return true;
}

async function subnetOf(root: string, options: NetworkOptions, ownBridge: boolean): Promise<Subnet> {
  const others = await takenSubnets(root);
  if (options.subnet === undefined) return freeSubnet(root, others);
  const subnet = parseSubnet(options.subnet);
  if (subnet === undefined || subnet.prefix < 8 || subnet.prefix > 30) {
    throw refused(`'${options.subnet}' is no subnet of IPv4 with 2 to 2^24 addresses`, '--subnet 172.16.0.0/24');
  }
  // On a bridge or an interface that was there before, the machine may well have an address of the same subnet.
  const clash = ownBridge && !options.isolated ? others.find((other) => overlap(other.subnet, subnet)) : undefined;
  if (clash === undefined) return subnet;
  throw refused(
    `the subnet ${formatSubnet(subnet)} overlaps ${formatSubnet(clash.subnet)}, which ${clash.owner} has`,
    'choose another with --subnet, or leave it out',
  );
}

interface Taken {
  readonly subnet: Subnet;
  readonly owner: string;
}

async function takenSubnets(root: string): Promise<Taken[]> {
  const networks = (await listNetworks(root)).flatMap(({ name, p2c }) => taken(p2c?.subnet, `the network '${name}'`));
  const addresses = Object.entries(networkInterfaces()).flatMap(([name, list]) =>
    (list ?? [])
      .filter(({ family }) => family === 'IPv4')
      .flatMap(({ cidr }) => taken(cidr ?? undefined, `the interface ${name}`)),
  );
  return [...networks, ...addresses, ...(await routes())];
}

function taken(text: string | undefined, owner: string): Taken[] {
  const subnet = text === undefined ? undefined : parseSubnet(text);
  return subnet === undefined ? [] : [{ subnet, owner }];
}

/** /proc/net/route: addresses and masks as the machine's own numbers in hexadecimal; the default route is none here. */
async function routes(): Promise<Taken[]> {
  const lines = (await readFile('/proc/net/route', 'latin1').catch(() => '')).split('\n').slice(1);
  return lines.flatMap((line) => {
    const [name = '', destination = '', , , , , , mask = ''] = line.split('\t');
    const subnet = { base: fromHex(destination), prefix: bitsOf(fromHex(mask)) };
    return Number.isNaN(subnet.base) || subnet.prefix === 0 ? [] : [{ subnet, owner: `a route by ${name}` }];
  });
}

function fromHex(text: string): number {
  const bytes = Buffer.from(text, 'hex');
  if (bytes.length !== 4) return Number.NaN;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
}

function bitsOf(mask: number): number {
  return mask.toString(2).replaceAll('0', '').length;
}

/** Stores begin at places of their own, so that two that know nothing of each other seldom choose the same. */
function freeSubnet(root: string, others: readonly Taken[]): Subnet {
  const start = Number.parseInt(storeKey(root).slice(0, 2), 16);
  for (let step = 0; step < POOL_SIZE; step += 1) {
    const subnet = { base: POOL + ((start + step) % POOL_SIZE) * 256, prefix: 24 };
    if (!others.some((other) => overlap(other.subnet, subnet))) return subnet;
  }
  throw refused(`all subnets of ${formatAddress(POOL)}/16 are taken`, 'give one with --subnet');
}

function gatewayOf(subnet: Subnet, text: string | undefined): number {
  if (text === undefined) return firstOf(subnet);
  const address = parseAddress(text);
  if (address !== undefined && address >= firstOf(subnet) && address <= lastOf(subnet)) return address;
  throw refused(
    `the gateway '${text}' is no address in ${formatSubnet(subnet)}`,
    `--gateway ${formatAddress(firstOf(subnet))}`,
  );
}

function rangeOf(subnet: Subnet, text: string): Subnet {
  const range = parseSubnet(text);
  if (range !== undefined && range.prefix >= subnet.prefix && holds(subnet, range.base)) return range;
  throw refused(
    `'${text}' is no part of ${formatSubnet(subnet)}`,
    `--ip-range ${formatSubnet({ ...subnet, prefix: Math.min(subnet.prefix + 1, 30) })}`,
  );
}

function refused(what: string, hint: string) {
  return usageError(what, { code: 'network.options', hint });
}
