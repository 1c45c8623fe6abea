/** `p2c network create`: makes a network. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { requireRoot } from '../runtime/create.ts';
import { createNetwork } from '../runtime/network/create.ts';
import { defineVerb } from './command.ts';
import { networkRecord } from './network-record.ts';

export const verb = defineVerb({
  name: 'network create',
  usage: '[options] NAME',
  summary: 'make a network for containers',
  examples: [
    ['p2c network create web', 'a bridge of its own, with a subnet that is free and a way out'],
    ['p2c network create --isolated lab', 'a network that leads nowhere: the place of a clone’s first boot'],
    [
      'p2c network create -d bridge --interface-name br0 --subnet 172.16.0.0/24 --gateway 172.16.0.1 my_br0',
      'on a bridge that is there, and stays as it is',
    ],
    [
      'p2c network create -d macvlan --interface-name eth0 --subnet 192.0.2.0/24 lan',
      'beside the machine on its own network',
    ],
  ],
  options: (parser) =>
    parser
      .option('driver', {
        alias: 'd',
        choices: ['bridge', 'macvlan'] as const,
        default: 'bridge' as const,
        describe: 'bridge or macvlan',
      })
      .option('interface-name', {
        type: 'string',
        requiresArg: true,
        describe: 'the bridge, or what macvlan interfaces lie on',
      })
      .option('subnet', { type: 'string', requiresArg: true, describe: 'its addresses, as 172.16.0.0/24' })
      .option('ip-range', {
        type: 'string',
        requiresArg: true,
        describe: 'the part of the subnet that addresses are given from',
      })
      .option('gateway', { type: 'string', requiresArg: true, describe: 'where the default route leads' })
      .option('internal', { type: 'boolean', default: false, describe: 'no way out but to this machine' })
      .option('isolated', { type: 'boolean', default: false, describe: 'no way out at all, not even to this machine' })
      .option('json', { type: 'boolean', default: false, describe: 'print the network as JSON' }),
  async run(options, words) {
    const [name, ...more] = words;
    if (name === undefined || more.length > 0) {
      throw usageError('a network has one name', { code: 'usage', hint: 'p2c network create [options] NAME' });
    }
    requireRoot(
      'networks are made and removed by root',
      'sudo p2c network …, or without: run --network host, none or container:NAME',
    );
    const network = await createNetwork(storeRoot(), name, {
      driver: options.driver,
      interface: options.interfaceName,
      subnet: options.subnet,
      range: options.ipRange,
      gateway: options.gateway,
      internal: options.internal,
      isolated: options.isolated,
    });
    process.stdout.write(options.json ? `${jsonText(networkRecord(network))}\n` : `${network.name}\n`);
    return ExitCode.done;
  },
});
