/**
 * A network as a CNI network configuration list (CNI specification 1.0.0, section 1). What p2c's user asked for stands
 * in it under `p2c`, beside the plugins that carry it out: one file, `ROOT/networks/NAME.conflist`. A list that was
 * written by hand, without that key, is a network too.
 */
import * as z from 'zod';
import { firstOf, formatAddress, lastOf, parseSubnet } from './address.ts';

const plugin = z.looseObject({ type: z.string().regex(/^[A-Za-z0-9_-]+$/), ipam: z.looseObject({}).optional() });
export type PluginConfiguration = z.output<typeof plugin>;

const wishes = z.object({
  /** ISO 8601. */
  created: z.string(),
  driver: z.enum(['bridge', 'macvlan']),
  /** The bridge, or what the macvlan interfaces lie on. */
  interface: z.string(),
  subnet: z.string(),
  gateway: z.string(),
  /** Which addresses are given out; all where undefined. */
  range: z.string().optional(),
  /** No default route; the machine itself is reached. */
  internal: z.boolean(),
  /** The bridge lies in a namespace of its own: nothing is reached but the other containers. */
  isolated: z.boolean(),
  /** The bridge is the network's: it comes and goes with the containers. False for one that was there before. */
  ownBridge: z.boolean(),
});
export type NetworkWishes = z.output<typeof wishes>;

export const conflistSchema = z.looseObject({
  cniVersion: z.string(),
  name: z.string(),
  plugins: z.array(plugin).min(1),
  p2c: wishes.optional(),
});
export type Conflist = z.output<typeof conflistSchema>;

/** 1.0.0 is what Debian 12's plugins speak, and later ones still do. */
const CNI_VERSION = '1.0.0';

/** @param firewall whether the plugin that lets the containers through a closed packet filter is there. */
export function conflistOf(name: string, network: NetworkWishes, firewall: boolean): Conflist {
  const outside = network.driver === 'bridge' && !network.isolated;
  return {
    cniVersion: CNI_VERSION,
    name,
    plugins: [
      network.driver === 'bridge' ? bridgePlugin(network) : macvlanPlugin(network),
      ...(outside ? [{ type: 'portmap', capabilities: { portMappings: true } }] : []),
      // What is forwarded for an internal network is nothing.
      ...(outside && !network.internal && firewall ? [{ type: 'firewall' }] : []),
    ],
    p2c: network,
  };
}

/**
 * A bridge that was there before belongs to whoever made it: the machine takes no address on it, and its gateway is
 * another machine.
 */
function bridgePlugin(network: NetworkWishes): PluginConfiguration {
  const routes = network.ownBridge && !network.isolated;
  return {
    type: 'bridge',
    bridge: network.interface,
    isGateway: routes,
    ipMasq: routes && !network.internal,
    hairpinMode: true,
    ipam: hostLocal(network),
  };
}

function macvlanPlugin(network: NetworkWishes): PluginConfiguration {
  return { type: 'macvlan', master: network.interface, mode: 'bridge', ipam: hostLocal(network) };
}

function hostLocal(network: NetworkWishes): Record<string, unknown> {
  const way = network.isolated || network.internal ? {} : { routes: [{ dst: '0.0.0.0/0' }] };
  const { start, end } = leaseRange(network);
  const range = network.range === undefined ? {} : { rangeStart: start, rangeEnd: end };
  return {
    type: 'host-local',
    ranges: [[{ subnet: network.subnet, gateway: network.gateway, ...range }]],
    ...way,
  };
}

/** The first and the last address that may be given out. */
export function leaseRange({ subnet, range }: NetworkWishes): { start: string; end: string } {
  const whole = parseSubnet(subnet) ?? { base: 0, prefix: 32 };
  const part = parseSubnet(range ?? subnet) ?? whole;
  const start = Math.max(part.base, firstOf(whole));
  const end = Math.min(part.base + 2 ** (32 - part.prefix) - 1, lastOf(whole));
  return { start: formatAddress(start), end: formatAddress(end) };
}
