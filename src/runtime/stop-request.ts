/** That a container's end is wanted, so that its restart policy does not bring it back: a file in its folder. */
import { access, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';

const NAME = 'stop';

/**
 * Before it is asked or made to end. One that was removed meanwhile needs no more.
 * @param until milliseconds since 1970: one that lives on after that is not brought to its end by this, and what ends it later is
 * its policy's to judge. Without it the request holds until the container is started.
 */
export async function requestStop(folder: string, until?: number): Promise<void> {
  // One that holds is not shortened.
  if (until !== undefined && (await holdsUntil(folder)) === Infinity) return;
  try {
    await writeFile(join(folder, NAME), until === undefined ? '' : String(until), { mode: 0o600 });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/**
 * True too where the container was removed.
 * @param ended milliseconds since 1970: what is done after an end may wait for others, and is no part of its time.
 */
export async function isStopRequested(folder: string, ended: number): Promise<boolean> {
  return access(join(folder, 'container.json')).then(
    async () => ended <= (await holdsUntil(folder)),
    () => true,
  );
}

/** Milliseconds since 1970; 0 where there is no request. */
async function holdsUntil(folder: string): Promise<number> {
  const text = await readFile(join(folder, NAME), 'utf8').catch(() => '0');
  return text === '' ? Infinity : Number(text);
}

export async function forgetStop(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}
