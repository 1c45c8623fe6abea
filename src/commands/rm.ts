/** `p2c rm`: removes containers. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { sweep } from '../runtime/containers.ts';
import { removeContainer } from '../runtime/end.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
import { namedContainers } from './named-containers.ts';
import { patienceFor } from './stop.ts';

export const verb = defineVerb({
  name: 'rm',
  usage: '[options] CONTAINER...',
  summary: 'remove containers and all that is left of them',
  examples: [
    ['p2c rm old', 'one that has ended'],
    ['p2c rm -f old', 'kill it first where it runs'],
  ],
  options: (parser) =>
    parser
      .option('force', { alias: 'f', type: 'boolean', default: false, describe: 'kill those that run' })
      .option('time', {
        alias: 't',
        type: 'number',
        requiresArg: true,
        describe: 'with -f: seconds until it is killed',
      })
      .option('volumes', { alias: 'v', type: 'boolean', default: false, describe: 'their own nameless volumes too' })
      .option('all', { alias: 'a', type: 'boolean', default: false, describe: 'every container' }),
  async run({ force, time, volumes, all }, words) {
    if (time !== undefined && !force) throw usageError('--time goes with --force', { code: 'usage' });
    const patience = patienceFor(undefined, time);
    const root = storeRoot();
    await sweep(root);
    return eachContainer(await namedContainers(root, words, all), async (container) => {
      await removeContainer(root, container, force, { patience, volumes });
      process.stdout.write(`${container.definition.name}\n`);
    });
  },
});
