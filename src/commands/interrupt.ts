/** Interrupting: the first signal ends the work in good order, the second ends the process. */
import { ExitCode, P2cError } from '../errors.ts';
import { orInterruption } from '../pipeline/interruption.ts';
import { whatWouldBeLeft } from '../pipeline/leavings.ts';
import { printable } from '../printable.ts';
import { leaveScreen, say } from '../report/screen.ts';
import { holdingOn } from './outputs.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interruptible {
  /** Where standard output is lost, the work ends as if it had been interrupted; or it goes on, for it is worth doing without. */
  readonly outputLost?: 'end' | 'go on';
}

/**
 * Runs work with a signal that aborts when the process is interrupted. Whatever the work was doing then, it fails with
 * the interruption, after it gave back what it held.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
  { outputLost = 'end' }: Interruptible = {},
): Promise<Result> {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      leaveScreen();
      for (const line of ['ending at once', ...whatWouldBeLeft()]) process.stderr.write(`p2c: ${printable(line)}\n`);
      stopListening();
      process.kill(process.pid, name);
      return;
    }
    say(`p2c: ${name}: ending in good order; interrupt again to end at once`);
    controller.abort(new P2cError(`interrupted by ${name}`, { code: 'interrupted', exitCode: ExitCode.interrupted }));
  };
  const stopListening = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
  };
  const onLost = (error: P2cError): void => {
    if (outputLost === 'go on') say(`p2c: ${error.message}: the run goes on; 'p2c runs show' has its account`);
    else controller.abort(error);
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  try {
    return await holdingOn(onLost, () => work(controller.signal));
  } catch (error) {
    throw orInterruption(error, controller.signal);
  } finally {
    stopListening();
  }
}
