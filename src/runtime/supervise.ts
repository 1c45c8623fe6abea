/** Looks after one container from start to end: its output, its log, its state. The foreground and the monitor do so. */
import type { Readable } from 'node:stream';
import { messageOf, systemCode } from '../errors.ts';
import { type Container, type State, writeState } from './container.ts';
import { discard } from './containers.ts';
import { ownIdentity } from './create.ts';
import type { Started } from './engine.ts';
import { engineOf } from './engines/choose.ts';
import { type LogStream, LogWriter } from './log.ts';
import { joinNetworks, leaveNetworks } from './network/join.ts';
import { placeOf } from './place.ts';
import { childrenOf, identifyProcess, type ProcessIdentity, signalProcess } from './process.ts';

export interface Attachment {
  /** Whether the container reads what p2c's own standard input gives. */
  readonly input: boolean;
  /** Its output, besides the log; resolves when more may come. */
  output?(stream: LogStream, chunk: Buffer): Promise<void>;
  /** It runs. */
  started?(init: ProcessIdentity): void;
}

/**
 * Starts a container and stays until it has ended; removes it then, where it was made so.
 * @param root the store's.
 * @returns its exit code.
 * @throws P2cError where it could not be started; the container stays, ended, unless it removes itself.
 */
export async function supervise(root: string, container: Container, attachment: Attachment): Promise<number> {
  const { folder, definition } = container;
  const state: State = { status: 'created', monitor: ownIdentity() };
  try {
    return await runToEnd(container, state, attachment);
  } catch (error) {
    await settle(folder, { ...state, status: 'exited', finished: now(), exitCode: 125, error: messageOf(error) });
    throw error;
  } finally {
    if (definition.autoRemove) await discard(root, definition);
  }
}

async function runToEnd(container: Container, created: State, attachment: Attachment): Promise<number> {
  await writeState(container.folder, created);
  const place = await placeOf(container);
  const engine = engineOf(container.definition);
  const bundle = await joinNetworks(container);
  try {
    const streams = { input: attachment.input ? ('inherit' as const) : ('none' as const), output: 'pipe' as const };
    return await attend(container.folder, await engine.start(place, bundle, streams), created, attachment);
  } finally {
    await engine.cleanUp(place);
    await leaveNetworks(container);
  }
}

async function attend(folder: string, started: Started, created: State, attachment: Attachment): Promise<number> {
  await using log = new LogWriter(folder);
  const pumping = pumpAll(started, log, attachment);
  const engine = identifyProcess(started.pid);
  const running: State = { ...created, ...(engine === undefined ? {} : { engine }) };
  try {
    const [init] = await Promise.all([started.ready, settle(folder, running)]);
    const since = { ...running, status: 'running' as const, init, started: now() };
    await settle(folder, since);
    attachment.started?.(init);
    const exitCode = await started.ended;
    // Where somebody killed the engine's process, the container does not go on without it.
    signalProcess(init, 'SIGKILL');
    await pumping;
    await settle(folder, { ...since, status: 'exited', finished: now(), exitCode });
    return exitCode;
  } catch (error) {
    // Nothing runs on that nobody looks after.
    if (engine !== undefined) for (const child of [...childrenOf(engine.pid), engine]) signalProcess(child, 'SIGKILL');
    await Promise.allSettled([pumping, started.ended]);
    throw error;
  }
}

/** A container that was removed by force meanwhile has no state any more. */
async function settle(folder: string, state: State): Promise<void> {
  try {
    await writeState(folder, state);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

async function pumpAll(started: Started, log: LogWriter, attachment: Attachment): Promise<void> {
  const pump = async (stream: LogStream, source: Readable): Promise<void> => {
    const write = log.stream(stream);
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue;
      await write(chunk);
      await attachment.output?.(stream, chunk);
    }
    await write();
  };
  const pumps = [];
  if (started.output !== undefined) pumps.push(pump('stdout', started.output));
  if (started.errors !== undefined) pumps.push(pump('stderr', started.errors));
  await Promise.all(pumps);
}

function now(): string {
  return new Date().toISOString();
}
