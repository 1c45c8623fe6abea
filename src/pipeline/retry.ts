/** Tries again, with growing waits, what a moment's trouble spoilt. */
import { P2cError } from '../errors.ts';
import { mayHeal, pause, pauseBefore } from '../ssh/healing.ts';
import type { SurveyRequest } from './request.ts';
import type { Show, Tell } from './stage.ts';

export interface Patience {
  /** How often one thing is tried again after its first failure. */
  readonly retries: number;
  readonly signal?: AbortSignal;
  /** A line for each failure that is not the last. */
  readonly note: Tell;
}

/** How a request wants what a moment's trouble spoilt to be tried again. */
export function patienceOf({ connect: { retries, signal } }: Pick<SurveyRequest, 'connect'>, show: Show): Patience {
  return { retries, note: (line) => show.note(line), ...(signal === undefined ? {} : { signal }) };
}

/** @param what begins the line about a failure: `part 3`. @throws what `attempt` throws the last time, or where it cannot heal. */
export async function retrying<Result>(
  what: string,
  { retries, signal, note }: Patience,
  attempt: () => Promise<Result>,
): Promise<Result> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (failures > retries || signal?.aborted === true || !heals(error)) throw error;
      // Before a lost link is made again there is a pause anyway, and the source's applications may be waiting.
      const wait = error.code === 'ssh.lost' ? 0 : pauseBefore(failures);
      note(`${what}: ${error.message}; trying again (${failures} of ${retries})`);
      await pause(wait, signal);
    }
  }
}

/** A tar that something on the source killed may be left alone the next time. */
function heals(error: unknown): error is P2cError {
  return mayHeal(error) || (error instanceof P2cError && error.code === 'tar.killed');
}
