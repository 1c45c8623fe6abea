/** A container has one monitor at a time: who starts it, and who removes it, holds its lock while it looks. */
import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { usageError } from '../errors.ts';
import { type Lock, lock } from '../oci/lock.ts';
import { type Container, readState, type State, writeState } from './container.ts';
import { bootId, ownIdentity } from './process.ts';
import { forgetRestart } from './restart-mark.ts';
import { forgetStop } from './stop-request.ts';

export function lockContainer(folder: string): Promise<Lock> {
  return lock(join(folder, 'lock'));
}

/** For whoever removes it. @returns undefined where another did: a folder that is gone cannot be locked, and need not be. */
export async function lockContainerIfThere(folder: string): Promise<Lock | undefined> {
  return lockContainer(folder).catch((error: unknown) => {
    if (existsSync(folder)) throw error;
    return undefined;
  });
}

/**
 * Makes this process the container's monitor.
 * @returns the state as it was.
 * @throws P2cError `container.running` (usage) where it has one, or runs without.
 */
export async function claim({ folder, definition }: Container): Promise<State> {
  await using _ = await lockContainer(folder);
  const state = await readState(folder);
  if (state.status !== 'created' && state.status !== 'exited') {
    throw usageError(`the container '${definition.name}' is running already`, {
      code: 'container.running',
      hint: `'p2c restart ${definition.name}' stops it and starts it again`,
    });
  }
  await forgetStop(folder);
  await forgetRestart(folder);
  await writeState(folder, { status: 'starting', monitor: ownIdentity(), boot: bootId(), restarts: 0 });
  return state;
}

/** As if nobody had wanted to start it. */
export async function giveBack({ folder }: Container, before: State): Promise<void> {
  await using _ = await lockContainer(folder);
  await rm(join(folder, 'attach'), { force: true });
  await writeState(folder, before);
}
