/** `p2c attach`: this terminal becomes a running container's. */
import { storeRoot } from '../oci/root.ts';
import { parseDetachKeys } from '../runtime/attach/detach-keys.ts';
import { readBundle, readState } from '../runtime/container.ts';
import { notRunning } from '../runtime/end.ts';
import { attachTo, attend, withAttachOptions } from './attached-container.ts';
import { defineVerb } from './command.ts';
import { namedContainer } from './named-containers.ts';

export const verb = defineVerb({
  name: 'attach',
  usage: '[options] CONTAINER',
  summary: 'see what a running container says and type to it, until it ends or is left',
  examples: [
    ['p2c attach old', 'ctrl-p ctrl-q leaves it and lets it run on'],
    ['p2c attach --no-stdin old', 'look, and type nothing'],
  ],
  options: (parser) =>
    withAttachOptions(parser).option('stdin', {
      type: 'boolean',
      default: true,
      describe: 'hand on what is typed (--no-stdin: do not)',
    }),
  async run(options, words) {
    const detachKeys = parseDetachKeys(options['detach-keys']);
    const container = await namedContainer(storeRoot(), words);
    const { status } = await readState(container.folder);
    if (status === 'created' || status === 'exited') throw notRunning(container);
    const { terminal } = (await readBundle(container.folder)).process;
    const input = options.stdin && container.definition.interactive;
    using client = await attachTo(container, input);
    return await attend(container, client, { input, terminal, detachKeys, sigProxy: options['sig-proxy'] });
  },
});
