/** That a container's end is wanted, so that its restart policy does not bring it back: a file in its folder. */
import { access, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';

const NAME = 'stop';

/** Before it is asked or made to end. One that was removed meanwhile needs no more. */
export async function requestStop(folder: string): Promise<void> {
  try {
    await writeFile(join(folder, NAME), '', { mode: 0o600 });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** True too where the container was removed. */
export async function isStopRequested(folder: string): Promise<boolean> {
  return access(join(folder, 'container.json')).then(
    () =>
      access(join(folder, NAME)).then(
        () => true,
        () => false,
      ),
    () => true,
  );
}

export async function forgetStop(folder: string): Promise<void> {
  await rm(join(folder, NAME), { force: true });
}
