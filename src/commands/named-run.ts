/** The run that the words of a verb mean. */
import { usageError } from '../errors.ts';
import { findRun, type SeenRun, seeRun } from '../fleet/runs.ts';
import { neverBegan } from './run-plan.ts';

/**
 * The newest run, or the one that is named by the beginning of its name.
 * @throws P2cError for more than one name, and `run.unknown`.
 */
export async function namedRun(root: string, words: readonly string[]): Promise<SeenRun> {
  if (words.length > 1) {
    throw usageError(`one run is expected, not ${words.length}`, { code: 'usage', hint: "'p2c runs ls' lists them" });
  }
  const id = await findRun(root, words[0]);
  const seen = await seeRun(root, id);
  if (seen === undefined) throw neverBegan(id);
  return seen;
}
