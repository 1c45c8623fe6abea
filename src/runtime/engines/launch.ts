/** Starts an engine's programs: their output in pipes, a session of their own, nothing of p2c's handed on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { Readable } from 'node:stream';
import { P2cError } from '../../errors.ts';
import type { Launched, Streams } from '../engine.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { openDrain } from './drain.ts';
import { closeInheritedFiles } from './inherited-files.ts';
import { openEmptyPipe, openInputPipe, openOutputPipes } from './pipes.ts';

/** What the program gets besides p2c's constant environment, and how it is connected. */
export interface Launch {
  readonly words: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly terminal: boolean;
  readonly streams: Streams;
  /** Whether it speaks on its descriptor 3. */
  readonly speaks: boolean;
}

export interface LaunchedProgram extends Launched {
  /** What it says on its descriptor 3; ends with all who could say something there. */
  readonly channel: AsyncIterable<Buffer>;
}

/** @throws P2cError `engine.*` where the first program cannot be run. */
export async function launch({ words, environment, terminal, streams, speaks }: Launch): Promise<LaunchedProgram> {
  const [program = '', ...rest] = words;
  const path = findProgram(program);
  closeInheritedFiles();
  const outputs = streams.output === 'none' ? 0 : terminal ? 1 : 2;
  const piped = !terminal && streams.input;
  // Each takes a program or two.
  const [pipes, drain, input, empty] = await Promise.all([
    openOutputPipes(outputs + (speaks ? 1 : 0)),
    streams.output === 'none' && !terminal ? openDrain() : undefined,
    piped === 'pipe' ? openInputPipe() : undefined,
    // script(1) takes an ended input for the end of the session: where there is none, it gets one that stays open.
    piped === 'none' ? openEmptyPipe() : undefined,
  ]);
  const channel = speaks ? pipes.pop() : undefined;
  const [output, errors] = pipes;
  // Of a terminal's program, which alone is not in the container.
  const out = output?.descriptor ?? drain?.descriptor ?? 'ignore';
  const child = spawn(path, rest, {
    env: { ...HOST_ENVIRONMENT, ...environment },
    cwd: '/',
    stdio: [
      streams.input === 'inherit' ? 'inherit' : (input?.descriptor ?? empty?.descriptor ?? 'pipe'),
      out,
      errors?.descriptor ?? out,
      ...(channel === undefined ? [] : [channel.descriptor]),
    ],
    // Without a terminal of its own, a session of its own: the user's terminal is then nobody's in there. With one,
    // script must stay in the foreground to hear of a new window size.
    detached: !terminal,
  });
  for (const pipe of [input, empty, output, errors, channel, drain]) pipe?.release();
  if (streams.output === 'none') child.unref();
  const ended = exitCodeOf(child, path);
  const pid = child.pid;
  if (pid === undefined) {
    await ended;
    throw new P2cError(`${path} could not be started`, { code: 'engine.start' });
  }
  return {
    pid,
    ended,
    input: streams.input === 'pipe' ? (input?.writer ?? child.stdin ?? undefined) : undefined,
    output: output?.reader,
    errors: errors?.reader,
    channel: channel?.reader ?? Readable.from([]),
  };
}

function exitCodeOf(child: ChildProcess, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', (cause) => {
      reject(new P2cError(`${path} could not be started`, { code: 'engine.start', cause }));
    });
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
