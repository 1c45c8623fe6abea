/**
 * That a container's end is half of a restart, so that its monitor does not remove it then: a file in its folder, which
 * holds for as long as the p2c that restarts it is there to start it.
 */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isAlive, ownIdentity } from './process.ts';

const NAME = 'restart';

/** Before it is asked to end. */
export async function markRestart(folder: string): Promise<void> {
  const { pid, startTime } = ownIdentity();
  await writeFile(join(folder, NAME), `${pid} ${startTime}`, { mode: 0o600 });
}

export async function isRestartMarked(folder: string): Promise<boolean> {
  const [pid, startTime] = (await readFile(join(folder, NAME), 'latin1').catch(() => '')).split(' ');
  return startTime !== undefined && isAlive({ pid: Number(pid), startTime });
}

export async function forgetRestart(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}
