/** Addresses, routes and name servers: by ip(8), ifconfig(8), or from /proc and /sys alone. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';
import { addressOf } from './sockets.ts';

interface Address {
  readonly interface: string;
  /** With its prefix where that is told: `10.0.0.4/24`. */
  readonly address: string;
}

interface Route {
  /** `default` or `10.0.0.0/24`. */
  readonly to: string;
  readonly via: string | undefined;
  readonly interface: string;
}

export interface Network {
  readonly addresses: readonly Address[];
  readonly routes: readonly Route[];
  readonly nameServers: readonly string[];
  /** Hardware addresses by interface: licences are bound to them. */
  readonly hardware: readonly Address[];
}

export const NETWORK_SECTIONS: readonly Section[] = [
  { name: 'ip-addr', script: 'ip -o addr show', maxBytes: 256 * 1024 },
  { name: 'ip-route', script: 'ip route show', maxBytes: 256 * 1024 },
  { name: 'ifconfig', script: '[ -n "$(ip -o addr show)" ] || ifconfig -a', maxBytes: 128 * 1024 },
  { name: 'proc-route', script: 'cat /proc/net/route', maxBytes: 256 * 1024 },
  {
    name: 'fib-trie',
    script: '[ -n "$(ip -o addr show || ifconfig)" ] || cat /proc/net/fib_trie',
    maxBytes: 256 * 1024,
  },
  { name: 'if-inet6', script: 'cat /proc/net/if_inet6', maxBytes: 64 * 1024 },
  { name: 'resolv', script: 'cat /etc/resolv.conf', maxBytes: 16_384 },
  { name: 'hardware', script: "grep -s '' /sys/class/net/*/address", maxBytes: 64 * 1024 },
];

export function readNetwork(answers: Answers): Fact<Network> {
  const fromIp = answers.lines('ip-addr').flatMap(ofIp);
  const fromIfconfig = fromIp.length > 0 ? [] : ofIfconfig(answers.lines('ifconfig'));
  const old = fromIfconfig.length > 0 || fromIp.length > 0;
  const addresses = old
    ? [...fromIp, ...fromIfconfig]
    : [...ofTrie(answers.lines('fib-trie')), ...answers.lines('if-inet6').flatMap(ofInet6)];
  const routes = answers.lines('ip-route').flatMap(ofIpRoute);
  const network = {
    addresses,
    routes: routes.length > 0 ? routes : answers.lines('proc-route').flatMap(ofProcRoute),
    nameServers: answers.lines('resolv').flatMap((line) => /^\s*nameserver\s+(\S+)/.exec(line)?.[1] ?? []),
    hardware: answers.lines('hardware').flatMap(ofHardware),
  };
  if (addresses.length === 0) return answers.none('neither ip, ifconfig nor /proc/net tells an address');
  return known(network, old ? answers.note('ip-addr', 'ip-route') : 'from /proc alone: not every interface is named');
}

/** `2: eth0    inet 10.0.0.4/24 brd …`, `2: eth0@if3    inet6 …`. */
function ofIp(line: string): Address[] {
  const [, name, address] = /^\d+:\s+([^\s@:]+)(?:@\S+)?:?\s+inet6?\s+(\S+)/.exec(line) ?? [];
  return name === undefined || address === undefined ? [] : [{ interface: name, address }];
}

/** Both forms: `inet addr:10.0.0.4 … Mask:255.255.255.0` of old, `inet 10.0.0.4  netmask 255.255.255.0` of newer ones. */
function ofIfconfig(lines: readonly string[]): Address[] {
  let name = '';
  return lines.flatMap((line) => {
    name = /^([^\s:]+(?::\d+)?)[:\s]/.exec(line)?.[1] ?? name;
    const v4 = /inet (?:addr:)?(\d+\.\d+\.\d+\.\d+).*?(?:Mask:|netmask )(\d+\.\d+\.\d+\.\d+)/.exec(line);
    if (v4?.[1] !== undefined && v4[2] !== undefined)
      return [{ interface: name, address: `${v4[1]}/${prefixOf(v4[2])}` }];
    const v6 = /inet6 (?:addr: )?([0-9a-f:]+)(?:\/|\s+prefixlen )(\d+)/.exec(line);
    return v6 === null ? [] : [{ interface: name, address: `${v6[1]}/${v6[2]}` }];
  });
}

function prefixOf(mask: string): number {
  return mask.split('.').reduce((sum, byte) => sum + (Number(byte).toString(2).match(/1/g)?.length ?? 0), 0);
}

/** An address of the machine's own is a leaf that `/32 host LOCAL` follows; the kernel names no interface with it. */
function ofTrie(lines: readonly string[]): Address[] {
  const found = new Set<string>();
  let leaf = '';
  for (const line of lines) {
    leaf = /\|--\s+(\d+\.\d+\.\d+\.\d+)/.exec(line)?.[1] ?? leaf;
    if (/\/32 host LOCAL/.test(line) && leaf !== '') found.add(leaf);
  }
  return [...found].map((address) => ({ interface: address.startsWith('127.') ? 'lo' : '?', address }));
}

/** `fe80…(32 digits) 02 40 20 80     eth0`: address, index, prefix, scope, flags, name. */
function ofInet6(line: string): Address[] {
  const [, hex, prefix, name] = /^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{2}) [0-9a-f]+ [0-9a-f]+\s+(\S+)$/.exec(line) ?? [];
  if (hex === undefined || prefix === undefined || name === undefined) return [];
  // addressOf takes words in the machine's order; these are in the network's.
  const words = (hex.match(/.{8}/g) ?? []).map((word) =>
    Buffer.from(Buffer.from(word, 'hex').reverse()).toString('hex'),
  );
  return [{ interface: name, address: `${addressOf(words.join(''))}/${Number.parseInt(prefix, 16)}` }];
}

/** `default via 10.0.0.1 dev eth0 …`, `10.0.0.0/24 dev eth0 …`. */
function ofIpRoute(line: string): Route[] {
  const [, to, via, name] = /^(default|[\d.]+(?:\/\d+)?)(?: via (\S+))?.*? dev (\S+)/.exec(line) ?? [];
  return to === undefined || name === undefined ? [] : [{ to, via, interface: name }];
}

/** `eth0 00000000 0100000A 0003 …`: interface, destination, gateway, flags, …, mask in the eighth field. */
function ofProcRoute(line: string): Route[] {
  const [name, destination, gateway, , , , , mask] = line.trim().split(/\s+/);
  if (name === undefined || !/^[0-9A-F]{8}$/.test(destination ?? '') || !/^[0-9A-F]{8}$/.test(mask ?? '')) return [];
  const to = `${addressOf(destination ?? '')}/${prefixOf(addressOf(mask ?? ''))}`;
  const via = gateway === undefined || gateway === '00000000' ? undefined : addressOf(gateway);
  return [{ to: to === '0.0.0.0/0' ? 'default' : to, via, interface: name }];
}

function ofHardware(line: string): Address[] {
  const [, name, address] = /^\/sys\/class\/net\/([^/]+)\/address:([0-9a-f:]{17,})$/.exec(line) ?? [];
  return name === undefined || address === undefined || /^(?:00:)+00$/.test(address)
    ? []
    : [{ interface: name, address }];
}
