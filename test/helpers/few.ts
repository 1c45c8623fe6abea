/** ava begins all tests of a file at once: servers that boot by the dozen would only wait for each other. */
import type { ExecutionContext } from 'ava';
import pLimit from 'p-limit';

type Work = (t: ExecutionContext) => Promise<void>;

/** @returns what makes of a test's function one that waits until fewer than `most` of them are at work. */
export function fewAtOnce(most: number): (work: Work) => Work {
  const limit = pLimit(most);
  return (work) => (t) => limit(() => work(t));
}
