/** `p2c run`: an image becomes a container. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { parseDetachKeys } from '../runtime/attach/detach-keys.ts';
import { createContainer } from '../runtime/create.ts';
import { startMonitored } from '../runtime/monitor.ts';
import { startAttached, withAttachOptions } from './attached-container.ts';
import { defineVerb } from './command.ts';
import { checkTerminal } from './container-process.ts';
import { noteDamagedArtifacts } from './damaged-note.ts';
import { engineFor } from './engine-note.ts';
import { tellInit } from './init-note.ts';
import { tellLacks } from './lacks-note.ts';
import { noteLoweredLimits } from './limit-note.ts';
import { tellQuarantine } from './quarantine-note.ts';
import { createOptions, withContainerOptions } from './run-options/all.ts';

export const verb = defineVerb({
  name: 'run',
  usage: '[options] IMAGE [COMMAND [ARGUMENT...]]',
  summary: 'run an image as a container; exit codes as podman: 125 p2c, 126 and 127 the command, else its own',
  wrapsCommand: true,
  examples: [
    ['p2c run -d --name old legacy:1', 'start the image in the background and print the ID'],
    ['p2c run --rm legacy:1 cat /etc/os-release', 'run one command and remove the container'],
    ['p2c run -d -h old01 --shm-size 1g --ulimit memlock=-1 -v /srv/data:/opt/data legacy:1', 'as the old server was'],
    ['p2c run --rm -it legacy:1 /bin/sh', 'a shell in a new container'],
  ],
  options: (parser) =>
    withContainerOptions(
      withAttachOptions(
        parser.option('detach', { alias: 'd', type: 'boolean', default: false, describe: 'run in the background' }),
      ),
    ),
  async run(options, words) {
    const [image, ...command] = words;
    if (image === undefined) {
      throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    }
    checkTerminal(options);
    const detachKeys = parseDetachKeys(options['detach-keys']);
    const root = storeRoot();
    const wanted = createOptions(options, command);
    noteLoweredLimits(wanted.ulimits);
    const engine = await engineFor(root, wanted.engine);
    const store = await ImageStore.open(root);
    await noteDamagedArtifacts(store);
    const container = await createContainer(store, image, wanted, engine);
    tellInit(container, wanted.init);
    tellLacks(container);
    await tellQuarantine(container);
    if (options.detach) {
      await startMonitored(root, container);
      process.stdout.write(`${container.definition.id}\n`);
      return 0;
    }
    return startAttached(root, container, {
      input: options.interactive,
      terminal: options.tty,
      detachKeys,
      sigProxy: options['sig-proxy'],
    });
  },
});
