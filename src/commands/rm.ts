/** `p2c rm`: removes containers. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { findContainer, sweep } from '../runtime/containers.ts';
import { requireRoot } from '../runtime/create.ts';
import { removeContainer } from '../runtime/end.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'rm',
  usage: '[options] CONTAINER...',
  summary: 'remove containers and all that is left of them',
  examples: [
    ['p2c rm old', 'one that has ended'],
    ['p2c rm -f old', 'kill it first where it runs'],
  ],
  options: (parser) =>
    parser.option('force', { alias: 'f', type: 'boolean', default: false, describe: 'kill those that run' }),
  async run({ force }, words) {
    if (words.length === 0)
      throw usageError('no container is named', { code: 'usage', hint: "'p2c ps -a' lists them" });
    requireRoot();
    const root = storeRoot();
    await sweep(root);
    const containers = [];
    for (const word of words) containers.push(await findContainer(root, word));
    for (const container of containers) {
      await removeContainer(root, container, force);
      process.stdout.write(`${container.definition.name}\n`);
    }
    return ExitCode.done;
  },
});
