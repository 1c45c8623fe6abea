/** `p2c stop`: asks containers to end. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { findContainer } from '../runtime/containers.ts';
import { requireRoot } from '../runtime/create.ts';
import { stopContainer } from '../runtime/end.ts';
import { defineVerb } from './command.ts';

export const verb = defineVerb({
  name: 'stop',
  usage: '[options] CONTAINER...',
  summary: "end containers: the image's stop signal, and after a while a kill",
  examples: [
    ['p2c stop old', 'SIGTERM or what the image names, SIGKILL after ten seconds'],
    ['p2c stop -t 60 old', 'give it a minute'],
  ],
  options: (parser) =>
    parser.option('time', {
      alias: 't',
      type: 'number',
      default: 10,
      requiresArg: true,
      describe: 'seconds until it is killed',
    }),
  async run({ time }, words) {
    if (words.length === 0) throw usageError('no container is named', { code: 'usage', hint: "'p2c ps' lists them" });
    if (!(time >= 0 && time < 1e6)) throw usageError('--time takes a number of seconds', { code: 'usage' });
    requireRoot();
    const root = storeRoot();
    const containers = [];
    for (const word of words) containers.push(await findContainer(root, word));
    for (const container of containers) {
      await stopContainer(container, time * 1000);
      process.stdout.write(`${container.definition.name}\n`);
    }
    return ExitCode.done;
  },
});
