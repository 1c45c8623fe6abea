/** `p2c network rm`: removes networks that no container is on. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { requireRoot } from '../runtime/create.ts';
import { findNetwork } from '../runtime/network/networks.ts';
import { removeNetwork } from '../runtime/network/remove.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'network rm',
  usage: '[options] NETWORK...',
  summary: 'remove networks',
  examples: [
    ['p2c network rm web', 'one that no container is on'],
    ['p2c network rm -f web', 'kill and remove the containers that are on it first'],
  ],
  options: (parser) =>
    parser.option('force', {
      alias: 'f',
      type: 'boolean',
      default: false,
      describe: 'kill and remove its containers too',
    }),
  async run({ force }, words) {
    if (words.length === 0)
      throw usageError('no network is named', { code: 'usage', hint: "'p2c network ls' lists them" });
    requireRoot(
      'networks are made and removed by root',
      'sudo p2c network …, or without: run --network host, none or container:NAME',
    );
    const root = storeRoot();
    const networks = [];
    for (const word of words) networks.push(await findNetwork(root, word));
    for (const { name } of networks) {
      await removeNetwork(root, name, force);
      process.stdout.write(`${name}\n`);
    }
    return ExitCode.done;
  },
});
