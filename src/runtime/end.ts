/** Ends containers and removes them, also those whose monitor is gone. */
import { constants } from 'node:os';
import { P2cError, systemCode, usageError } from '../errors.ts';
import { type Container, readState, type State } from './container.ts';
import { discard } from './containers.ts';
import { engineOf } from './engines/choose.ts';
import { leaveNetworks } from './network/join.ts';
import { isAlive, signalProcess, waitForEnd } from './process.ts';
import { stopSignalNumber } from './stop-signal.ts';

/** How long the kernel may take to end processes, and the monitor to note it. Milliseconds. */
const KILL_TAKES = 10_000;
const POLL = 20;

/**
 * Asks a container to end and kills it when it does not.
 * @param patience milliseconds.
 * @returns false where it was not running.
 */
export async function stopContainer(container: Container, patience: number): Promise<boolean> {
  const state = await stateOrGone(container);
  const init = state?.init;
  if (state?.status !== 'running' || init === undefined) return false;
  signalProcess(init, stopSignalNumber(container.definition.stopSignal));
  if (!(await waitForEnd(init, patience))) signalProcess(init, constants.signals.SIGKILL);
  await ended(container);
  await leaveNetworks(container);
  return true;
}

/**
 * Removes a container and all that is left of it.
 * @param force whether a running one is killed.
 * @throws P2cError `container.running` (usage) where it runs.
 */
export async function removeContainer(root: string, container: Container, force: boolean): Promise<void> {
  const state = await stateOrGone(container);
  if (state !== undefined && state.status !== 'exited') {
    if (!force) throw running(container, state);
    await kill(container);
  }
  await ended(container);
  const { folder, definition } = container;
  await engineOf(definition).cleanUp({ id: definition.id, folder });
  await leaveNetworks(container);
  await discard(root, definition);
}

function running({ definition: { name } }: Container, { status }: State): P2cError {
  const what = status === 'running' ? 'is running' : 'is being started';
  return usageError(`the container '${name}' ${what}`, {
    code: 'container.running',
    hint: `'p2c stop ${name}' ends it; 'p2c rm -f ${name}' kills and removes it`,
  });
}

/** One that is just being started has no PID 1 yet: that is waited for, so that nothing starts after it was removed. */
async function kill(container: Container): Promise<void> {
  const end = performance.now() + KILL_TAKES;
  for (;;) {
    const state = await stateOrGone(container);
    if (state === undefined || state.status === 'exited') return;
    if (state.init !== undefined) {
      signalProcess(state.init, constants.signals.SIGKILL);
      return;
    }
    if (performance.now() > end) signalProcess(state.monitor, constants.signals.SIGKILL);
    await pause();
  }
}

/** Waits until its processes are gone and its monitor has written down how it ended, or is gone too. */
async function ended(container: Container): Promise<void> {
  const end = performance.now() + KILL_TAKES;
  for (;;) {
    const state = await stateOrGone(container);
    if (state === undefined) return;
    const left = [state.init, state.engine].filter((one) => one !== undefined && isAlive(one));
    if (state.status === 'exited' && left.length === 0) return;
    if (performance.now() > end) {
      throw new P2cError(`processes of the container '${container.definition.name}' do not end`, {
        code: 'container.stuck',
        hint: `see what ${left.map((one) => one?.pid).join(', ') || 'its monitor'} waits for, and try again`,
      });
    }
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
