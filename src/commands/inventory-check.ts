/** `p2c inventory check`: everything of an inventory that can be wrong without going to its hosts. */
import { ExitCode } from '../errors.ts';
import { requireNoCircle } from '../fleet/circle.ts';
import { jsonText } from '../printable.ts';
import { formatCount } from '../report/units.ts';
import { chosenHosts } from './chosen-hosts.ts';
import { defineVerb } from './command.ts';
import { hostConnectOptions } from './host-connection.ts';
import { HostMistakes } from './host-mistakes.ts';
import { requiredInventory } from './inventory-ls.ts';
import { profilesOfHosts, referencesOf, requireWindows } from './inventory-mistakes.ts';
import { withInventoryOptions } from './inventory-options.ts';

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
    const mistakes = new HostMistakes();
    await profilesOfHosts(hosts, undefined, mistakes);
    await referencesOf(hosts, mistakes);
    await requireWindows(hosts, mistakes);
    // Keys lie where the batch is run, which may be elsewhere.
    for (const host of hosts) await mistakes.of(host, 'host', () => hostConnectOptions(host, {}));
    mistakes.throwAny();
    const untagged = hosts.filter((host) => host.tag === undefined).map(({ name }) => name);
    const { kind, groups } = inventory;
    const result = { file, kind, hosts: hosts.length, groups: groups.length, withoutTag: untagged };
    const lacking = untagged.length === 0 ? '' : `; without a tag, so that migrate needs --tag: ${untagged.length}`;
    const text = `${file}: ${formatCount(hosts.length, 'host')} in ${formatCount(groups.length, 'group')}, all well${lacking}`;
    process.stdout.write(`${options.json ? jsonText(result) : text}\n`);
    return ExitCode.done;
  },
});
