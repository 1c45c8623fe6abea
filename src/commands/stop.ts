/** `p2c stop`: asks containers to end. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import type { Container } from '../runtime/container.ts';
import { stopContainer } from '../runtime/end.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
import { namedContainers } from './named-containers.ts';

export const STOP_OPTIONS = {
  time: { alias: 't', type: 'number', requiresArg: true, describe: 'seconds until it is killed' },
  all: { alias: 'a', type: 'boolean', default: false, describe: 'every container' },
} as const;

export const verb = defineVerb({
  name: 'stop',
  usage: '[options] CONTAINER...',
  summary: "end containers: the image's stop signal, and after a while a kill",
  examples: [
    ['p2c stop old', 'SIGTERM or what the image names; SIGKILL after ten seconds, or what run --stop-timeout said'],
    ['p2c stop -t 60 old', 'give it a minute'],
    ['p2c stop -a', 'all of them'],
  ],
  options: (parser) => parser.options(STOP_OPTIONS),
  async run({ time, all }, words) {
    const containers = await namedContainers(storeRoot(), words, all);
    patienceFor(undefined, time);
    // Together: the second does not wait for the first one's patience.
    const stop = async (container: Container): Promise<void> => {
      await stopContainer(container, patienceFor(container, time));
      process.stdout.write(`${container.definition.name}\n`);
    };
    return eachContainer(containers, stop, { together: true });
  },
});

/** @param time seconds, of `--time`. @returns milliseconds until a container is killed. @throws P2cError `usage`. */
export function patienceFor(container: Container | undefined, time: number | undefined): number {
  const seconds = time ?? container?.definition.stopTimeout ?? 0;
  if (seconds >= 0 && seconds < 1e6) return seconds * 1000;
  throw usageError('--time takes a number of seconds', { code: 'usage' });
}
