/** Options of `run` and `create`: names and networks. */
import type { Argv } from 'yargs';
import { parseExposed, parsePorts } from '../../runtime/network/ports.ts';
import {
  checkDnsServer,
  checkHostEntry,
  checkMac,
  checkSearchDomain,
  checkStaticAddress,
} from '../../runtime/network/request.ts';
import type { NetworkOptions } from '../../runtime/options.ts';

export interface NetworkArguments {
  hostname: string | undefined;
  network: string[] | undefined;
  ip: string | undefined;
  'mac-address': string | undefined;
  publish: string[] | undefined;
  'publish-all': boolean;
  expose: string[] | undefined;
  dns: string[] | undefined;
  'dns-search': string[] | undefined;
  'add-host': string[] | undefined;
  quarantine: boolean;
}

const MANY = { type: 'string', array: true, nargs: 1 } as const;
const ONE = { type: 'string', requiresArg: true } as const;

export function withNetwork<Options>(parser: Argv<Options>): Argv<Options & NetworkArguments> {
  return parser
    .option('hostname', { alias: 'h', ...ONE, describe: 'host name in the container' })
    .option('network', {
      ...MANY,
      alias: 'net',
      describe:
        "none (default): a loopback of its own; host: the machine's; container:NAME; bridge, or a network's name",
    })
    .option('ip', { ...ONE, describe: 'its address on the first network' })
    .option('mac-address', { ...ONE, describe: "its interface's address there" })
    .option('publish', { alias: 'p', ...MANY, describe: '[[IP:]PORT:]PORT[/PROTOCOL], reached through this machine' })
    .option('publish-all', {
      alias: 'P',
      type: 'boolean',
      default: false,
      describe: 'all ports that the image exposes',
    })
    .option('expose', { ...MANY, describe: 'a port that -P publishes too' })
    .option('dns', { ...MANY, describe: "name server, in place of this machine's" })
    .option('dns-search', { ...MANY, describe: 'domain that short names are looked up in; . for none' })
    .option('add-host', { ...MANY, describe: 'NAME:ADDRESS for /etc/hosts' })
    .option('quarantine', {
      type: 'boolean',
      default: false,
      describe: 'on a network that leads nowhere, cron, mail and timers held back until p2c release',
    });
}

/** @throws P2cError (usage). */
export function networkOptions(given: NetworkArguments): NetworkOptions {
  return {
    hostname: given.hostname,
    network: {
      networks: (given.network ?? []).flatMap((text) => text.split(',')),
      address: given.ip === undefined ? undefined : checkStaticAddress(given.ip),
      mac: given['mac-address'] === undefined ? undefined : checkMac(given['mac-address']),
      ports: (given.publish ?? []).flatMap(parsePorts),
      publishAll: given['publish-all'],
      expose: (given.expose ?? []).flatMap(parseExposed),
      dns: (given.dns ?? []).map(checkDnsServer),
      search: (given['dns-search'] ?? []).map(checkSearchDomain),
      hosts: (given['add-host'] ?? []).map(checkHostEntry),
      quarantine: given.quarantine,
    },
  };
}
