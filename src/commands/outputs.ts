/**
 * Standard output and standard error whose reader may go away, and whose disk may be full. A process that ends at once for
 * it would leave servers with their applications stopped: whoever holds something is told, and ends or goes on in good order.
 */
import { P2cError, systemCode } from '../errors.ts';

type OnLost = (error: P2cError) => void;

let lost: P2cError | undefined;
/** The latest is asked. */
const keepers: OnLost[] = [];

/** Once, before anything is written. @param end ends the process where nobody holds anything. */
export function watchOutputs(end: () => void): void {
  // Nobody is left to tell.
  process.stderr.on('error', () => {});
  process.stdout.on('error', (error) => {
    if (lost !== undefined) return;
    lost = outputLost(error);
    const keeper = keepers.at(-1);
    if (keeper === undefined) end();
    else keeper(lost);
  });
}

/** What became of standard output, where that is lost: results that nobody got are no success. */
export function lostOutput(): P2cError | undefined {
  return lost;
}

/** Does work that must not be cut off: where standard output is lost, `onLost` is called, and the process goes on. */
export async function holdingOn<Result>(onLost: OnLost, work: () => Promise<Result>): Promise<Result> {
  keepers.push(onLost);
  if (lost !== undefined) onLost(lost);
  try {
    return await work();
  } finally {
    keepers.splice(keepers.lastIndexOf(onLost), 1);
  }
}

function outputLost(cause: unknown): P2cError {
  const closed = systemCode(cause) === 'EPIPE';
  return new P2cError(
    closed ? 'the reader of standard output went away' : `standard output cannot be written (${systemCode(cause)})`,
    {
      code: closed ? 'output.closed' : 'output.lost',
      cause,
      ...(closed ? {} : { hint: 'what was to be printed is lost, or cut off' }),
    },
  );
}
