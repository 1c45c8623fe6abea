/** `p2c inventory graph`: the groups of an inventory and what is in them. */
import { ExitCode, usageError } from '../errors.ts';
import { jsonText } from '../printable.ts';
import { listedHosts } from './chosen-hosts.ts';
import { defineVerb } from './command.ts';
import { requiredInventory } from './inventory-ls.ts';
import { withInventoryOptions } from './inventory-options.ts';
import { describeGraph } from './inventory-text.ts';

export const verb = defineVerb({
  name: 'inventory graph',
  usage: '-i FILE',
  summary: 'draw the groups of an inventory, as ansible-inventory --graph does',
  examples: [['p2c inventory graph -i fleet.yaml', 'groups, and the hosts in each']],
  options: (parser) =>
    withInventoryOptions(parser).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async run(options, words) {
    if (words.length > 0) throw usageError("'inventory graph' draws the whole of it", { code: 'usage' });
    const { inventory } = await listedHosts(requiredInventory(options.inventory, 'graph'), [], options);
    process.stdout.write(options.json ? `${jsonText(inventory.groups)}\n` : `${describeGraph(inventory)}\n`);
    return ExitCode.done;
  },
});
