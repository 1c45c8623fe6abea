/** Ends containers and removes them, also those whose monitor is gone. */
import { constants } from 'node:os';
import { P2cError, systemCode, usageError } from '../errors.ts';
import { lockContainerIfThere } from './claim.ts';
import { type Container, readState, type State } from './container.ts';
import { discard } from './containers.ts';
import { engineOf } from './engines/choose.ts';
import { leaveNetworks } from './network/join.ts';
import { bootId, isAlive, killTree, type ProcessIdentity, signalProcess, waitForEnd } from './process.ts';
import { requestStop } from './stop-request.ts';
import { stopSignalNumber } from './stop-signal.ts';
import { discardWithVolumes } from './volumes/discard.ts';

/** How long the kernel may take to end processes, and the monitor to note it. Milliseconds. */
const KILL_TAKES = 10_000;
/** How long a monitor may take whose container has ended: networks are left by one container at a time, and twenty may end at once. */
const LEAVING_TAKES = 60_000;
/** As long as that: networks are joined by one container at a time too. */
const STARTING_TAKES = 60_000;
const POLL = 20;

/**
 * Asks a container to end and kills it when it does not; its restart policy does not bring it back.
 * @param patience milliseconds.
 * @returns false where it was not running.
 */
export async function stopContainer(container: Container, patience: number): Promise<boolean> {
  let state = await stateOrGone(container);
  if (!isUp(state)) return false;
  await requestStop(container.folder);
  // One that is just being started, for the first time or again, has no PID 1 yet.
  state = await until(container, (now) => !isUp(now) || hasInit(now), STARTING_TAKES);
  if (state !== undefined && hasInit(state)) {
    signalProcess(state.init, stopSignalNumber(container.definition.stopSignal));
    if (!(await waitForEnd(state.init, patience))) signalProcess(state.init, constants.signals.SIGKILL);
  }
  await ended(container);
  await leaveNetworks(container);
  return true;
}

/**
 * Sends a signal to a container's PID 1. One that is to end it is also the end of its restart policy, if it ends by it within
 * the time that a stop gives it.
 * @throws P2cError `container.stopped` (usage) where it does not run.
 */
export async function signalContainer(container: Container, signal: number): Promise<void> {
  const { definition, folder } = container;
  const state = await stateOrGone(container);
  if (state === undefined || !hasInit(state)) throw notRunning(container);
  if (signal === constants.signals.SIGKILL) await requestStop(folder);
  else if (signal === stopSignalNumber(definition.stopSignal)) {
    await requestStop(folder, Date.now() + definition.stopTimeout * 1000);
  }
  signalProcess(state.init, signal);
}

export function notRunning({ definition: { name } }: Container): P2cError {
  return usageError(`the container '${name}' is not running`, {
    code: 'container.stopped',
    hint: `'p2c logs ${name}' shows what it said, 'p2c start ${name}' starts it`,
  });
}

/**
 * Removes a container and all that is left of it.
 * @param force whether a running one is killed.
 * @param options.patience milliseconds that it has to end by itself before it is killed.
 * @param options.volumes whether the volumes that were made for it alone go too.
 * @throws P2cError `container.running` (usage) where it runs.
 */
export async function removeContainer(
  root: string,
  container: Container,
  force: boolean,
  { patience = 0, volumes = false }: { readonly patience?: number; readonly volumes?: boolean } = {},
): Promise<void> {
  const state = await stateOrGone(container);
  if (isUp(state) && !force) throw running(container, state);
  if (isUp(state)) await (patience > 0 ? stopContainer(container, patience) : kill(container));
  await ended(container);
  const { folder, definition } = container;
  // Nobody starts it between the look and the removal.
  await using _ = await lockContainerIfThere(folder);
  const now = await stateOrGone(container);
  if (isUp(now)) throw running(container, now);
  await engineOf(definition).cleanUp({ id: definition.id, folder });
  await leaveNetworks(container);
  await (volumes || definition.autoRemove ? discardWithVolumes(root, container) : discard(root, definition));
}

/** Whether its PID 1 is there for a signal: while it restarts, its state still names the one before. */
function hasInit(state: State): state is State & { init: ProcessIdentity } {
  return state.status === 'running' && state.init !== undefined;
}

/** Whether anything of it runs, or will soon. */
function isUp(state: State | undefined): state is State {
  return state !== undefined && state.status !== 'exited' && state.status !== 'created';
}

function running({ definition: { name } }: Container, { status }: State): P2cError {
  const what = status === 'starting' ? 'is being started' : status === 'restarting' ? 'is restarting' : 'is running';
  return usageError(`the container '${name}' ${what}`, {
    code: 'container.running',
    hint: `'p2c stop ${name}' ends it; 'p2c rm -f ${name}' kills and removes it`,
  });
}

/** One that is just being started has no PID 1 yet: that is waited for, so that nothing starts after it was removed. */
async function kill(container: Container): Promise<void> {
  await requestStop(container.folder);
  const end = performance.now() + KILL_TAKES;
  for (;;) {
    const state = await stateOrGone(container);
    if (!isUp(state)) return;
    if (hasInit(state)) {
      signalProcess(state.init, constants.signals.SIGKILL);
      return;
    }
    if (performance.now() > end && state.monitor !== undefined) {
      signalProcess(state.monitor, constants.signals.SIGKILL);
    }
    await pause();
  }
}

/** Waits until its processes are gone and its monitor has written down how it ended, or is gone too. */
async function ended(container: Container): Promise<void> {
  const alive = (state: State) => [state.init, state.engine].filter((one) => one !== undefined && isAlive(one));
  const over = (now: State): boolean => {
    endLeftovers(now);
    return !isUp(now) && alive(now).length === 0;
  };
  let state = await until(container, over);
  if (state !== undefined && isUp(state) && alive(state).length === 0) {
    state = await until(container, over, LEAVING_TAKES);
  }
  if (state === undefined || (!isUp(state) && alive(state).length === 0)) return;
  const left = alive(state).map((one) => one?.pid);
  throw new P2cError(`processes of the container '${container.definition.name}' do not end`, {
    code: 'container.stuck',
    hint: `see what ${left.join(', ') || 'its monitor'} waits for, and try again`,
  });
}

/**
 * An engine that was starting a container when its monitor was killed waits for ever for one who is to take its word: there
 * is no PID 1 yet whose end would be its own.
 */
function endLeftovers({ init, engine, monitor, status, boot }: State): void {
  const abandoned = boot === bootId() && (monitor === undefined || !isAlive(monitor));
  if (status === 'exited' && init === undefined && engine !== undefined && abandoned) killTree(engine);
}

/** @returns the state that fits, the last where none does in time, undefined where it was removed meanwhile. */
async function until(
  container: Container,
  fits: (state: State) => boolean,
  patience = KILL_TAKES,
): Promise<State | undefined> {
  const end = performance.now() + patience;
  for (;;) {
    const state = await stateOrGone(container);
    if (state === undefined || fits(state) || performance.now() > end) return state;
    await pause();
  }
}

/** Undefined where it was removed meanwhile. */
async function stateOrGone({ folder }: Container): Promise<State | undefined> {
  try {
    return await readState(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function pause(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, POLL));
}
