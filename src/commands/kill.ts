/** `p2c kill`: sends a signal to containers. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { stateOrGone } from '../runtime/container.ts';
import { signalContainer } from '../runtime/end.ts';
import { knownSignal } from '../runtime/stop-signal.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
import { namedContainers } from './named-containers.ts';

export const verb = defineVerb({
  name: 'kill',
  usage: '[options] CONTAINER...',
  summary: 'send a signal to the first process of containers',
  examples: [
    ['p2c kill old', 'SIGKILL'],
    ['p2c kill -s HUP old', 'as kill(1) would'],
  ],
  options: (parser) =>
    parser
      .option('signal', { alias: 's', type: 'string', default: 'KILL', requiresArg: true, describe: 'name or number' })
      .option('all', { alias: 'a', type: 'boolean', default: false, describe: 'every container that runs' }),
  async run({ signal, all }, words) {
    const number = knownSignal(signal);
    if (number === undefined) {
      throw usageError(`--signal '${signal}' is no signal`, { code: 'usage', hint: "'kill -l' lists them" });
    }
    return eachContainer(await namedContainers(storeRoot(), words, all), async (container) => {
      if (all && (await stateOrGone(container.folder))?.status !== 'running') return;
      await signalContainer(container, number);
      process.stdout.write(`${container.definition.name}\n`);
    });
  },
});
