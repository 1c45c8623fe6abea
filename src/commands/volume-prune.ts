/** `p2c volume prune`: removes the volumes that no container uses. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { removeVolumes } from '../runtime/volumes/volumes.ts';
import { defineVerb } from './command.ts';
import { confirmed } from './confirm.ts';

export const verb = defineVerb({
  name: 'volume prune',
  usage: '[options]',
  summary: 'remove all volumes that no container uses, and their content',
  examples: [['p2c volume prune -f', 'without a question']],
  options: (parser) => parser.option('force', { alias: 'f', type: 'boolean', default: false, describe: 'do not ask' }),
  async run({ force }, words) {
    if (words.length > 0) throw usageError("'volume prune' takes no words", { code: 'usage' });
    if (!force && !(await confirmed('This removes all volumes that no container uses, and their content.'))) {
      return ExitCode.done;
    }
    const removed = await removeVolumes(storeRoot(), () => true);
    process.stdout.write(removed.map((name) => `${name}\n`).join(''));
    return ExitCode.done;
  },
});
