/** `p2c network inspect`: networks as podman shows them. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { findNetwork } from '../runtime/network/networks.ts';
import { defineVerb } from './command.ts';
import { networkRecord } from './network-record.ts';

export const verb = defineVerb({
  name: 'network inspect',
  usage: 'NETWORK...',
  summary: 'show networks as JSON, as podman network inspect does',
  examples: [['p2c network inspect my_br0', 'its subnet, gateway, interface']],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print it on one line' }),
  async run({ json }, words) {
    if (words.length === 0)
      throw usageError('no network is named', { code: 'usage', hint: "'p2c network ls' lists them" });
    const root = storeRoot();
    const records = [];
    for (const word of words) records.push(networkRecord(await findNetwork(root, word)));
    process.stdout.write(`${jsonText(records, json ? undefined : 5)}\n`);
    return ExitCode.done;
  },
});
