/** Looks after one container from its start to its last end: its output, its log, its state, its restarts. */
import type { Readable } from 'node:stream';
import { messageOf, systemCode } from '../errors.ts';
import { resizeTerminal } from './attach/resize.ts';
import type { AttachServer } from './attach/server.ts';
import { lockContainerIfThere } from './claim.ts';
import { refusedExitCode } from './command-refused.ts';
import { type Container, type State, stateOrGone, writeState } from './container.ts';
import type { Started } from './engine.ts';
import { engineOf } from './engines/choose.ts';
import { isReboot, systemExitCode } from './init/ending.ts';
import { type LogStream, LogWriter } from './log.ts';
import { joinNetworks, leaveNetworks } from './network/join.ts';
import { placeOf } from './place.ts';
import { bootId, childrenOf, identifyProcess, ownIdentity, signalProcess } from './process.ts';
import { isRestartMarked } from './restart-mark.ts';
import { restartDelay, startsAgain } from './restart-policy.ts';
import { isStopRequested } from './stop-request.ts';
import { discardWithVolumes } from './volumes/discard.ts';

/** Milliseconds. Whoever ran for so long did not fail at its start. */
const LONG_LIFE = 10_000;
const POLL = 100;

/**
 * Starts a container and stays until it has ended and is not to start again; removes it then, where it was made so.
 * @param root the store's.
 * @param attach told of all output and of the end.
 * @param started called whenever it runs.
 * @throws P2cError where it could not be started; the container stays, ended, unless it removes itself.
 */
export async function supervise(
  root: string,
  container: Container,
  attach: AttachServer,
  started: () => void,
): Promise<void> {
  const { folder, definition } = container;
  const state: State = { status: 'starting', monitor: ownIdentity(), boot: bootId(), restarts: 0 };
  let exitCode = 125;
  let error: string | undefined;
  let ran = false;
  try {
    exitCode = await runToLastEnd(container, state, attach, () => {
      ran = true;
      started();
    });
  } catch (thrown) {
    error = messageOf(thrown);
    exitCode = refusedExitCode(thrown) ?? exitCode;
    await settle(folder, { ...state, status: 'exited', finished: now(), exitCode, error });
    throw thrown;
  } finally {
    // Whoever is told that it ended may want its name for another.
    if (definition.autoRemove) await removed(root, container);
    // Whoever waits for the start does not listen yet, and is told by the monitor why there is none.
    if (ran) await attach.ended({ exitCode, ...(error === undefined ? {} : { error }) });
  }
}

/**
 * Its folder says what is left on the machine: it goes last. One that is restarted stays, whether it has its new monitor
 * already or not.
 */
async function removed(root: string, container: Container): Promise<void> {
  const { folder } = container;
  await using _ = await lockContainerIfThere(folder);
  const { pid, startTime } = ownIdentity();
  const { monitor } = (await stateOrGone(folder)) ?? {};
  if (monitor?.pid !== pid || monitor.startTime !== startTime || (await isRestartMarked(folder))) return;
  await leaveNetworks(container);
  await discardWithVolumes(root, container);
}

async function runToLastEnd(
  container: Container,
  first: State,
  attach: AttachServer,
  started: () => void,
): Promise<number> {
  const { folder, definition } = container;
  let failures = 0;
  for (let restarts = 0; ; restarts += 1) {
    const begin = performance.now();
    const ended = await runOnce(container, { ...first, restarts }, attach, started).catch((error: unknown): Ended => {
      // One that ran before may have its command again at the next try: that is its policy's to say.
      const exitCode = restarts === 0 ? undefined : refusedExitCode(error);
      if (exitCode === undefined) throw error;
      return { ...first, restarts, status: 'exited', finished: now(), exitCode, error: messageOf(error) };
    });
    failures = performance.now() - begin > LONG_LIFE ? 0 : failures + 1;
    const isSystem = definition.init.mode === 'system';
    const rebooted = isSystem && isReboot(ended.exitCode);
    const last = isSystem ? { ...ended, exitCode: systemExitCode(ended.exitCode) } : ended;
    const again = rebooted || startsAgain(definition.restart, last.exitCode, restarts);
    const at = Date.parse(last.finished ?? now());
    const goesOn = again && !(await isStopRequested(folder, at));
    if (goesOn) await settle(folder, { ...last, status: 'restarting' });
    if (!goesOn || !(await waited(folder, restartDelay(failures - 1), at))) {
      await settle(folder, last);
      return last.exitCode;
    }
  }
}

/** @param ended as of {@link isStopRequested}. @returns false where its end was wanted meanwhile. */
async function waited(folder: string, delay: number, ended: number): Promise<boolean> {
  const end = performance.now() + delay;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(POLL, delay)));
    if (await isStopRequested(folder, ended)) return false;
  }
  return true;
}

type Ended = State & { readonly exitCode: number };

async function runOnce(container: Container, state: State, attach: AttachServer, started: () => void): Promise<Ended> {
  const place = await placeOf(container);
  const engine = engineOf(container.definition);
  const input = container.definition.interactive ? 'pipe' : 'none';
  const bundle = await joinNetworks(container);
  try {
    const running = await engine.start(place, bundle, { input, output: 'pipe', size: attach.size });
    attach.serve({
      input: running.input,
      endsWithTyping: !bundle.process.terminal,
      resize: async (size) => (bundle.process.terminal ? resizeTerminal(running.pid, size) : undefined),
    });
    return await attend(container, running, state, attach, started);
  } finally {
    try {
      await engine.cleanUp(place);
    } finally {
      await leaveNetworks(container);
    }
  }
}

async function attend(
  { folder, definition }: Container,
  running: Started,
  state: State,
  attach: AttachServer,
  started: () => void,
): Promise<Ended> {
  await using log = new LogWriter(folder, definition.logMaxSize);
  await log.begin();
  const pumping = pumpAll(running, log, attach);
  const engine = identifyProcess(running.pid);
  const starting: State = { ...state, ...(engine === undefined ? {} : { engine }) };
  try {
    const [init] = await Promise.all([running.ready, settle(folder, starting)]);
    const since = { ...starting, status: 'running' as const, init, started: now() };
    await settle(folder, since);
    started();
    const exitCode = await running.ended;
    // Where somebody killed the engine's process, the container does not go on without it.
    signalProcess(init, 'SIGKILL');
    await pumping;
    return { ...since, status: 'exited', finished: now(), exitCode };
  } catch (error) {
    // Nothing runs on that nobody looks after.
    if (engine !== undefined) for (const child of [...childrenOf(engine.pid), engine]) signalProcess(child, 'SIGKILL');
    await Promise.allSettled([pumping, running.ended]);
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

async function pumpAll(running: Started, log: LogWriter, attach: AttachServer): Promise<void> {
  const pump = async (stream: LogStream, source: Readable): Promise<void> => {
    const write = log.stream(stream);
    for await (const chunk of source) {
      if (!Buffer.isBuffer(chunk)) continue;
      await write(chunk);
      await attach.output(stream, chunk);
    }
    await write();
  };
  const pumps = [];
  if (running.output !== undefined) pumps.push(pump('stdout', running.output));
  if (running.errors !== undefined) pumps.push(pump('stderr', running.errors));
  await Promise.all(pumps);
}

function now(): string {
  return new Date().toISOString();
}
