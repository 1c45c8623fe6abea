/** `p2c network ls`: the networks of the store. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { listNetworks, networkId } from '../runtime/network/networks.ts';
import { defineVerb } from './command.ts';
import { networkRecord } from './network-record.ts';
import { terminalWidth } from './show.ts';

export const verb = defineVerb({
  name: 'network ls',
  usage: '[options]',
  summary: 'list networks',
  examples: [
    ['p2c network ls', 'all networks'],
    ['p2c network ls -q', 'their names alone'],
  ],
  options: (parser) =>
    parser
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'print names alone' })
      .option('json', { type: 'boolean', default: false, describe: 'print a JSON array' }),
  async run({ quiet, json }, words) {
    if (words.length > 0)
      throw usageError(`'${words[0]}' is not expected`, { code: 'usage', hint: "see 'p2c network ls --help'" });
    const networks = await listNetworks(storeRoot());
    if (json) process.stdout.write(`${jsonText(networks.map(networkRecord))}\n`);
    else if (quiet) process.stdout.write(networks.map(({ name }) => `${name}\n`).join(''));
    else {
      const rows = networks.map(({ name, plugins, p2c }) => [
        networkId(name).slice(0, 12),
        name,
        plugins[0]?.type ?? '',
        p2c?.subnet ?? '',
        reach(p2c),
      ]);
      process.stdout.write(`${table(rows, ['NETWORK ID', 'NAME', 'DRIVER', 'SUBNET', 'REACHES'], terminalWidth())}\n`);
    }
    return ExitCode.done;
  },
});

function reach(wishes: { readonly internal: boolean; readonly isolated: boolean } | undefined): string {
  if (wishes === undefined) return '';
  if (wishes.isolated) return 'itself';
  return wishes.internal ? 'this machine' : 'all';
}
