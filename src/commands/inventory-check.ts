/** `p2c inventory check`: everything of an inventory that can be wrong without going to its hosts. */
import { ExitCode } from '../errors.ts';
import { requireNoCircle } from '../fleet/queue.ts';
import { parseReference } from '../oci/reference.ts';
import { selectProfiles } from '../profiles/select.ts';
import { formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { hostConnectOptions } from './host-connection.ts';
import { requiredInventory } from './inventory-ls.ts';
import { chosenHosts, withInventoryOptions } from './inventory-options.ts';

export const verb = defineVerb({
  name: 'inventory check',
  usage: '-i FILE [PATTERN...]',
  summary: 'check an inventory, its profiles and tags, and name every mistake with line and column',
  examples: [['p2c inventory check -i fleet.yaml', 'exit code 0 where all is well, 2 where something is wrong']],
  options: (parser) =>
    withInventoryOptions(parser).option('json', { type: 'boolean', default: false, describe: 'print JSON' }),
  async run(options, words) {
    const file = requiredInventory(options.inventory, 'check');
    const { inventory, hosts } = await chosenHosts(file, words, options);
    requireNoCircle(hosts);
    for (const host of hosts) {
      selectProfiles(host.profiles);
      hostConnectOptions(host, {});
      if (host.tag !== undefined) parseReference(host.tag);
    }
    const untagged = hosts.filter((host) => host.tag === undefined).map(({ name }) => name);
    const { kind, groups } = inventory;
    const result = { file, kind, hosts: hosts.length, groups: groups.length, withoutTag: untagged };
    const lacking = untagged.length === 0 ? '' : `; without a tag, so that migrate needs --tag: ${untagged.length}`;
    const text = `${file}: ${formatCount(hosts.length, 'host')} in ${formatCount(groups.length, 'group')}, all well${lacking}`;
    process.stdout.write(`${options.json ? JSON.stringify(result) : text}\n`);
    return ExitCode.done;
  },
});
