/** `p2c start`: starts containers that were created, or that ended. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { parseDetachKeys } from '../runtime/attach/detach-keys.ts';
import { type Container, readBundle, readState, type State, stateOrGone } from '../runtime/container.ts';
import { startMonitored } from '../runtime/monitor.ts';
import { type Attachment, attachTo, attend, startAttached, withAttachOptions } from './attached-container.ts';
import { defineVerb } from './command.ts';
import { eachContainer } from './each-container.ts';
import { namedContainers } from './named-containers.ts';

export const verb = defineVerb({
  name: 'start',
  usage: '[options] CONTAINER...',
  summary: 'start containers that were created, or that ended; with -a the exit code is the container’s',
  examples: [
    ['p2c start old', 'its changes and volumes are as they were'],
    ['p2c start -ai old', 'with this terminal as its own'],
    ['p2c start --all --filter restart-policy=always', 'those that a boot of the machine is to bring back'],
  ],
  options: (parser) =>
    withAttachOptions(parser)
      .option('attach', { alias: 'a', type: 'boolean', default: false, describe: 'show what it says, until it ends' })
      .option('interactive', { alias: 'i', type: 'boolean', default: false, describe: 'hand on the standard input' })
      .option('all', { type: 'boolean', default: false, describe: 'every container that does not run' })
      .option('filter', {
        alias: 'f',
        type: 'string',
        requiresArg: true,
        describe: 'restart-policy=POLICY, with --all',
      }),
  async run(options, words) {
    const detachKeys = parseDetachKeys(options['detach-keys']);
    const policy = policyFrom(options.filter, options.all);
    const root = storeRoot();
    const named = await namedContainers(root, words, options.all);
    if (options.attach || options.interactive) {
      const [container] = named;
      if (container === undefined || named.length > 1) {
        throw usageError('-a and -i are for one container', { code: 'usage' });
      }
      return attached(root, container, { input: options.interactive, detachKeys, sigProxy: options['sig-proxy'] });
    }
    return eachContainer(named, async (container) => {
      if (options.all && !(await isMeant(container, policy))) return;
      // As podman: one that runs is not started, and that is no fault.
      if (!(await runs(container))) await startMonitored(root, container);
      process.stdout.write(`${container.definition.name}\n`);
    });
  },
});

/** One that runs already is attached to. */
async function attached(root: string, container: Container, options: Omit<Attachment, 'terminal'>): Promise<number> {
  const { terminal } = (await readBundle(container.folder)).process;
  const attachment = { ...options, input: options.input && container.definition.interactive, terminal };
  if (!(await runs(container))) return startAttached(root, container, attachment);
  using client = await attachTo(container, attachment.input);
  return await attend(container, client, attachment);
}

function policyFrom(filter: string | undefined, all: boolean): string | undefined {
  if (filter === undefined) return undefined;
  const found = /^restart-policy=(no|on-failure|always|unless-stopped)$/.exec(filter);
  if (found !== null && all) return found[1];
  throw usageError(found === null ? `--filter '${filter}' is not known` : '--filter is for --all', {
    code: 'usage',
    hint: 'p2c start --all --filter restart-policy=always',
  });
}

/** Of all: not one that is gone meanwhile either. */
async function isMeant({ folder, definition }: Container, policy: string | undefined): Promise<boolean> {
  const state = await stateOrGone(folder);
  return (policy === undefined || definition.restart.name === policy) && state !== undefined && !isUp(state);
}

async function runs({ folder }: Container): Promise<boolean> {
  return isUp(await readState(folder));
}

function isUp({ status }: State): boolean {
  return status !== 'created' && status !== 'exited';
}
