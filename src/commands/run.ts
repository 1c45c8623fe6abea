/** `p2c run`: an image becomes a container. */
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import type { Network } from '../runtime/bundle.ts';
import { type CreateOptions, createContainer } from '../runtime/create.ts';
import { startMonitored } from '../runtime/monitor.ts';
import { type ProcessIdentity, signalProcess } from '../runtime/process.ts';
import { parseSize } from '../runtime/size.ts';
import { supervise } from '../runtime/supervise.ts';
import { parseUlimit } from '../runtime/ulimit.ts';
import { parseVolume } from '../runtime/volume.ts';
import { defineVerb } from './command.ts';
import { checkTerminal, environmentFrom, forwardingSignals, passOn } from './container-process.ts';

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
    parser
      .option('detach', { alias: 'd', type: 'boolean', default: false, describe: 'run in the background' })
      .option('rm', { type: 'boolean', default: false, describe: 'remove the container when it has ended' })
      .option('name', { type: 'string', requiresArg: true, describe: 'name of the container' })
      .option('hostname', { alias: 'h', type: 'string', requiresArg: true, describe: 'host name in the container' })
      .option('shm-size', { type: 'string', default: '64m', requiresArg: true, describe: 'size of /dev/shm' })
      .option('ulimit', { type: 'string', array: true, nargs: 1, describe: 'NAME=SOFT[:HARD], -1 for unlimited' })
      .option('volume', { alias: 'v', type: 'string', array: true, nargs: 1, describe: 'SRC:DST[:ro]' })
      .option('network', {
        type: 'string',
        choices: ['none', 'host'] as const satisfies readonly Network[],
        default: 'none' as const,
        describe: "none: a loopback of its own; host: the machine's",
      })
      .option('privileged', { type: 'boolean', default: false, describe: 'drop no capability and mask nothing' })
      .option('env', { alias: 'e', type: 'string', array: true, nargs: 1, describe: 'KEY=VALUE, or KEY of this shell' })
      .option('workdir', { alias: 'w', type: 'string', requiresArg: true, describe: 'working folder' })
      .option('user', { alias: 'u', type: 'string', requiresArg: true, describe: 'USER[:GROUP]' })
      .option('entrypoint', { type: 'string', requiresArg: true, describe: "in place of the image's; '' for none" })
      .option('interactive', { alias: 'i', type: 'boolean', default: false, describe: 'hand on the standard input' })
      .option('tty', { alias: 't', type: 'boolean', default: false, describe: 'give the container a terminal' }),
  async run(options, words) {
    const [image, ...command] = words;
    if (image === undefined) {
      throw usageError('no image is named', { code: 'usage', hint: "'p2c images' lists them" });
    }
    checkTerminal(options);
    const root = storeRoot();
    const wanted: CreateOptions = {
      command,
      name: options.name,
      entrypoint: options.entrypoint,
      environment: environmentFrom(options.env ?? []),
      workingFolder: options.workdir,
      user: options.user,
      hostname: options.hostname,
      network: options.network,
      shmSize: parseSize('--shm-size', options.shmSize),
      ulimits: (options.ulimit ?? []).map(parseUlimit),
      volumes: (options.volume ?? []).map(parseVolume),
      privileged: options.privileged,
      terminal: options.tty,
      interactive: options.interactive,
      autoRemove: options.rm,
    };
    const store = await ImageStore.open(root);
    const container = await createContainer(store, image, wanted);
    if (options.detach) {
      await startMonitored(root, container);
      process.stdout.write(`${container.definition.id}\n`);
      return 0;
    }
    let init: ProcessIdentity | undefined;
    const attachment = {
      input: options.interactive,
      output: passOn,
      started: (identity: ProcessIdentity) => {
        init = identity;
      },
    };
    const send = (signal: NodeJS.Signals): void => {
      if (init !== undefined) signalProcess(init, signal);
    };
    return forwardingSignals(send, () => supervise(root, container, attachment));
  },
});
