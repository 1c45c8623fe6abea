/** One verb on several containers, as podman has it: what fails for one is said, and is not the end for the others. */
import { existsSync } from 'node:fs';
import { describeError, ExitCode, P2cError, systemCode, usageError } from '../errors.ts';
import type { Container } from '../runtime/container.ts';

/**
 * @param options.together whether one does not wait for the one before.
 * @returns the exit code: that of the first failure.
 */
export async function eachContainer(
  containers: readonly Container[],
  work: (container: Container) => Promise<void>,
  { together = false }: { readonly together?: boolean } = {},
): Promise<ExitCode> {
  const failures: ExitCode[] = [];
  const tried = async (container: Container): Promise<void> => {
    try {
      await work(container);
    } catch (thrown) {
      const error = isGone(container, thrown) ? removedMeanwhile(container) : thrown;
      process.stderr.write(`${describeError(error)}\n`);
      failures.push(error instanceof P2cError ? error.exitCode : ExitCode.failed);
    }
  };
  if (together) await Promise.all(containers.map(tried));
  else for (const container of containers) await tried(container);
  return failures[0] ?? ExitCode.done;
}

/** The monitor says of what it did not expect that it is internal. */
function isGone({ folder }: Container, error: unknown): boolean {
  const unexpected = systemCode(error) === 'ENOENT' || (error instanceof P2cError && error.code === 'internal');
  return unexpected && !existsSync(folder);
}

function removedMeanwhile({ definition: { name } }: Container): P2cError {
  return usageError(`the container '${name}' was removed meanwhile`, {
    code: 'container.unknown',
    hint: "'p2c ps -a' lists those that are there",
  });
}
