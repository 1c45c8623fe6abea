/** `p2c wait`: waits for the end of containers. */
import { ExitCode } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { waitForContainer } from '../runtime/wait.ts';
import { defineVerb } from './command.ts';
import { namedContainers } from './named-containers.ts';

/** As podman: of one whose end nobody saw. */
const UNKNOWN = -1;

export const verb = defineVerb({
  name: 'wait',
  usage: 'CONTAINER...',
  summary: 'wait until containers have ended, and print their exit codes',
  examples: [['p2c wait old', 'prints 0 when it ended well']],
  options: (parser) => parser,
  async run(_, words) {
    for (const container of await namedContainers(storeRoot(), words)) {
      const waited = await waitForContainer(container);
      if ('unknown' in waited) {
        const { name } = container.definition;
        process.stderr.write(`p2c: the exit code of the container '${name}' is not known: ${waited.unknown}\n`);
      }
      process.stdout.write(`${'unknown' in waited ? UNKNOWN : waited.exitCode}\n`);
    }
    return ExitCode.done;
  },
});
