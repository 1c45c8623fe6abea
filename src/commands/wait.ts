/** `p2c wait`: waits for the end of containers. */
import { storeRoot } from '../oci/root.ts';
import type { Container } from '../runtime/container.ts';
import { type Waited, waitForContainer } from '../runtime/wait.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
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
    const containers = await namedContainers(storeRoot(), words);
    const ends = new Map<Container, Waited>();
    // Together: one that removes itself tells how it ended to those who wait for it by then.
    const wait = async (container: Container): Promise<void> => {
      ends.set(container, await waitForContainer(container));
    };
    const code = await eachContainer(containers, wait, { together: true });
    for (const container of containers) tell(container, ends.get(container));
    return code;
  },
});

function tell({ definition: { name } }: Container, waited: Waited = { unknown: 'it could not be waited for' }): void {
  if ('unknown' in waited) {
    process.stderr.write(`p2c: the exit code of the container '${name}' is not known: ${waited.unknown}\n`);
  }
  process.stdout.write(`${'unknown' in waited ? UNKNOWN : waited.exitCode}\n`);
}
