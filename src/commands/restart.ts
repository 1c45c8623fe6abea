/** `p2c restart`: stops containers and starts them again. */
import { storeRoot } from '../oci/root.ts';
import { restartContainer } from '../runtime/restart.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
import { namedContainers } from './named-containers.ts';
import { patienceFor, STOP_OPTIONS } from './stop.ts';

export const verb = defineVerb({
  name: 'restart',
  usage: '[options] CONTAINER...',
  summary: 'stop containers where they run, and start them',
  examples: [
    ['p2c restart old', 'its changes and volumes stay'],
    ['p2c restart -t 60 old', 'give it a minute to stop'],
  ],
  options: (parser) => parser.options(STOP_OPTIONS),
  async run({ time, all }, words) {
    patienceFor(undefined, time);
    const root = storeRoot();
    return eachContainer(await namedContainers(root, words, all), async (container) => {
      await restartContainer(root, container, patienceFor(container, time));
      process.stdout.write(`${container.definition.name}\n`);
    });
  },
});
