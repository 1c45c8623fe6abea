/** What a container asks of the network; it stands in its `container.json`. */
import * as z from 'zod';
import { usageError } from '../../errors.ts';
import { parseAddress } from './address.ts';
import { portSchema } from './ports.ts';

export const networkRequestSchema = z.object({
  /** `none` has its loopback alone, `host` the machine's, `container` another's; `networks` those named. */
  mode: z.enum(['none', 'host', 'container', 'networks']),
  /** The other container's ID. */
  container: z.string().optional(),
  /** By name, the first with the default route. */
  networks: z.array(z.string()),
  /** Of the first network. */
  address: z.string().optional(),
  mac: z.string().optional(),
  ports: z.array(portSchema),
  dns: z.array(z.string()),
  search: z.array(z.string()),
  /** `NAME:ADDRESS`. */
  hosts: z.array(z.string()),
});
export type NetworkRequest = z.output<typeof networkRequestSchema>;

/** The request of one that asked for nothing. */
export const NO_NETWORK: NetworkRequest = { mode: 'none', networks: [], ports: [], dns: [], search: [], hosts: [] };

const DOMAIN = /^(?=.{1,253}$)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?$/;
const MAC = /^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i;

/** @throws P2cError `network.dns` (usage). IPv6 servers are taken as they are. */
export function checkDnsServer(text: string): string {
  if (parseAddress(text) !== undefined || isIPv6(text)) return text;
  throw usageError(`--dns '${text}' is no address`, { code: 'network.dns', hint: '--dns 192.0.2.53' });
}

/** @throws P2cError `network.dns` (usage). */
export function checkSearchDomain(text: string): string {
  if (text === '.' || DOMAIN.test(text)) return text;
  throw usageError(`--dns-search '${text}' is no domain`, {
    code: 'network.dns',
    hint: '--dns-search example.com; . for none',
  });
}

/** @throws P2cError `network.add-host` (usage). */
export function checkHostEntry(text: string): string {
  const colon = text.indexOf(':');
  const [name, address] = [text.slice(0, colon), text.slice(colon + 1)];
  if (colon > 0 && DOMAIN.test(name) && (parseAddress(address) !== undefined || isIPv6(address))) return text;
  throw usageError(`--add-host '${text}' is not of the form NAME:ADDRESS`, {
    code: 'network.add-host',
    hint: '--add-host db01:192.0.2.7',
  });
}

/** @throws P2cError `network.address` (usage). */
export function checkStaticAddress(text: string): string {
  if (parseAddress(text) !== undefined) return text;
  throw usageError(`--ip '${text}' is no IPv4 address`, { code: 'network.address', hint: '--ip 172.16.0.2' });
}

/** @throws P2cError `network.mac` (usage): also for one that is many machines' at once (the lowest bit of the first byte). */
export function checkMac(text: string): string {
  const mac = text.replaceAll('-', ':').toLowerCase();
  if (MAC.test(mac) && Number.parseInt(mac.slice(0, 2), 16) % 2 === 0) return mac;
  throw usageError(`--mac-address '${text}' is no address of one interface`, {
    code: 'network.mac',
    hint: '--mac-address 02:00:5e:10:00:01',
  });
}

function isIPv6(text: string): boolean {
  return z.ipv6().safeParse(text).success;
}
