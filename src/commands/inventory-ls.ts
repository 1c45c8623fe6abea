/** `p2c inventory ls`: the hosts of an inventory, as p2c would go to them. */
import { ExitCode, usageError } from '../errors.ts';
import { mistakesOf } from '../fleet/usable.ts';
import { jsonText, printable } from '../printable.ts';
import { listedHosts } from './chosen-hosts.ts';
import { defineVerb } from './command.ts';
import { withInventoryOptions } from './inventory-options.ts';
import { describeHosts, listedHost } from './inventory-text.ts';
import { tableWidth } from './show.ts';

export const verb = defineVerb({
  name: 'inventory ls',
  usage: '-i FILE [PATTERN...]',
  summary: 'list the hosts of an inventory, and how each would be reached',
  examples: [
    ['p2c inventory ls -i fleet.yaml', 'all hosts'],
    ["p2c inventory ls -i hosts.ini 'web*:!web03:&prod'", "some of an Ansible inventory's, in Ansible's words"],
  ],
  options: (parser) =>
    withInventoryOptions(parser).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async run(options, words) {
    const { hosts } = await listedHosts(requiredInventory(options.inventory, 'ls'), words, options);
    process.stdout.write(
      options.json ? `${jsonText(hosts.map(listedHost))}\n` : `${describeHosts(hosts, tableWidth())}\n`,
    );
    if (!options.json) for (const line of mistakesOf(hosts)) process.stderr.write(`p2c: ${printable(line)}\n`);
    return ExitCode.done;
  },
});

/** @throws P2cError `usage`. */
export function requiredInventory(file: string | undefined, verbName: string): string {
  if (file !== undefined) return file;
  throw usageError('no inventory is named', { code: 'usage', hint: `'p2c inventory ${verbName} -i FILE'` });
}
