/** What is told of a failure once the work was interrupted. */
import { P2cError } from '../errors.ts';

/**
 * A stream that was ended, a channel that closed: what fails because of the interruption is told as the interruption. That
 * applications could not be started again is told as that.
 */
export function orInterruption(error: unknown, signal: AbortSignal): unknown {
  if (!signal.aborted || (error instanceof P2cError && error.code.startsWith('quiesce.'))) return error;
  return signal.reason;
}
