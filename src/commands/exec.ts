/** `p2c exec`: another process in a running container. */
import { fstatSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { findContainer } from '../runtime/containers.ts';
import type { Launched } from '../runtime/engine.ts';
import { execInContainer } from '../runtime/exec.ts';
import { childrenOf, signalProcess } from '../runtime/process.ts';
import { defineVerb } from './command.ts';
import { checkTerminal, environmentFrom, forwardingSignals, passOn } from './container-process.ts';
import { readEnvironmentFile } from './environment-file.ts';

export const verb = defineVerb({
  name: 'exec',
  usage: '[options] CONTAINER COMMAND [ARGUMENT...]',
  summary: "run a command in a running container, confined as it is; the exit code is the command's",
  wrapsCommand: true,
  examples: [
    ['p2c exec old ps aux', 'what runs in it'],
    ['p2c exec -it old /bin/sh', 'a shell'],
    ['p2c exec -u nobody -w /tmp old id', 'as another user'],
  ],
  options: (parser) =>
    parser
      .option('detach', { alias: 'd', type: 'boolean', default: false, describe: 'do not wait for it' })
      .option('env', { alias: 'e', type: 'string', array: true, nargs: 1, describe: 'KEY=VALUE, or KEY of this shell' })
      .option('env-file', { type: 'string', array: true, nargs: 1, describe: 'a file of KEY=VALUE lines' })
      .option('workdir', { alias: 'w', type: 'string', requiresArg: true, describe: 'working folder' })
      .option('user', { alias: 'u', type: 'string', requiresArg: true, describe: 'USER[:GROUP]' })
      .option('interactive', { alias: 'i', type: 'boolean', default: false, describe: 'hand on the standard input' })
      .option('tty', { alias: 't', type: 'boolean', default: false, describe: 'give the command a terminal' }),
  async run(options, words) {
    const [name, ...command] = words;
    if (name === undefined || command.length === 0) {
      throw usageError(name === undefined ? 'no container is named' : 'no command is given', {
        code: 'usage',
        hint: 'p2c exec CONTAINER COMMAND',
      });
    }
    checkTerminal(options);
    const root = storeRoot();
    const container = await findContainer(root, name);
    const launched = await execInContainer(root, container, {
      command,
      environment: [...(options['env-file'] ?? []).flatMap(readEnvironmentFile), ...environmentFrom(options.env ?? [])],
      workingFolder: options.workdir,
      user: options.user,
      terminal: options.tty,
      input: inputFor(options),
      detached: options.detach,
    });
    return options.detach ? 0 : attend(launched);
  },
});

/** A file, a terminal or a device of this machine is read here: root in a container could write to what it has open, or change its mode. */
function inputFor({ interactive, tty, detach }: { interactive: boolean; tty: boolean; detach: boolean }) {
  if (!interactive || (detach && !tty)) return 'none';
  if (tty) return 'inherit';
  const stats = fstatSync(0);
  return stats.isFIFO() || stats.isSocket() ? 'inherit' : 'pipe';
}

async function attend({ pid, input, output, errors, ended }: Launched): Promise<number> {
  const pump = async (stream: 'stdout' | 'stderr', source: NodeJS.ReadableStream): Promise<void> => {
    for await (const chunk of source) if (Buffer.isBuffer(chunk)) await passOn(stream, chunk);
  };
  // The engine's process stands outside: the command is its child.
  const send = (signal: NodeJS.Signals): void => {
    for (const child of childrenOf(pid)) signalProcess(child, signal);
  };
  return forwardingSignals(send, async () => {
    const pumps = [];
    if (output !== undefined) pumps.push(pump('stdout', output));
    if (errors !== undefined) pumps.push(pump('stderr', errors));
    // A command need not read to the end.
    if (input !== undefined) pipeline(process.stdin, input).catch(() => {});
    const code = await ended;
    await Promise.all(pumps);
    if (input !== undefined) process.stdin.destroy();
    return code;
  });
}
