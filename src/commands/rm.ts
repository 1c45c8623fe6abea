/** `p2c rm`: removes containers. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { sweep } from '../runtime/containers.ts';
import { type DamagedContainer, damagedContainers } from '../runtime/damaged.ts';
import { removeContainer } from '../runtime/end.ts';
import { dependentsFirst, refuseWithDependents } from '../runtime/network/dependents.ts';
import { removeDamaged } from '../runtime/remove-damaged.ts';
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
      .option('force', {
        alias: 'f',
        type: 'boolean',
        default: false,
        describe: 'kill those that run, and cut off those that share their network',
      })
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
    const broken = force ? await brokenAmong(root, words, all) : [];
    const isBroken = (word: string): boolean => broken.some((one) => isNamed(one, word));
    const sound = words.filter((word) => !isBroken(word));
    const none = broken.length > 0 && !all && sound.length === 0;
    const containers = none ? [] : await namedContainers(root, sound, all);
    for (const one of broken) {
      await removeDamaged(root, one);
      process.stdout.write(`${one.name ?? one.id}\n`);
    }
    const others = containers.filter(({ definition }) => !isBroken(definition.id));
    return eachContainer(dependentsFirst(others), async (container) => {
      if (!force) await refuseWithDependents(root, container);
      await removeContainer(root, container, force, { patience, volumes });
      process.stdout.write(`${container.definition.name}\n`);
    });
  },
});

/** Those whose records are damaged: by name, or by the beginning of the ID, which is their folder's name. */
async function brokenAmong(root: string, words: readonly string[], all: boolean): Promise<DamagedContainer[]> {
  const damaged = await damagedContainers(root);
  if (all) return damaged;
  return [...new Set(words)].flatMap((word) => {
    const found = damaged.filter((one) => isNamed(one, word));
    if (found.length < 2) return found;
    throw usageError(`'${word}' is the beginning of ${found.length} containers' IDs`, { code: 'container.ambiguous' });
  });
}

function isNamed({ id, name }: DamagedContainer, word: string): boolean {
  return word === name || (/^[0-9a-f]{3,64}$/.test(word) && id.startsWith(word));
}
