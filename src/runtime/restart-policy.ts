/** Whether a container that ended is started again, as `--restart` of podman has it. */
import * as z from 'zod';
import { usageError } from '../errors.ts';

const NAMES = ['no', 'on-failure', 'always', 'unless-stopped'] as const;

export const restartPolicySchema = z.object({
  name: z.enum(NAMES),
  /** Of `on-failure`: how often at most; undefined for ever. */
  retries: z.int().optional(),
});
export type RestartPolicy = z.output<typeof restartPolicySchema>;

/** Milliseconds. A container that fails at once is not started again at once, and less and less often. */
const FIRST_DELAY = 100;
const LONGEST_DELAY = 60_000;

/** @param text `no`, `on-failure[:RETRIES]`, `always`, `unless-stopped`. @throws P2cError `runtime.restart` (usage). */
export function parseRestartPolicy(text: string): RestartPolicy {
  const [word, retries, ...more] = text.split(':');
  const name = NAMES.find((known) => known === word);
  const counted = retries === undefined || (name === 'on-failure' && /^[0-9]{1,9}$/.test(retries));
  if (name === undefined || !counted || more.length > 0) {
    throw usageError(`--restart '${text}' is no policy`, {
      code: 'runtime.restart',
      hint: 'no, on-failure[:RETRIES], always or unless-stopped',
    });
  }
  return { name, ...(retries === undefined ? {} : { retries: Number(retries) }) };
}

/** @param restarts how often it was started again already, since the user started it. */
export function startsAgain(policy: RestartPolicy, exitCode: number, restarts: number): boolean {
  if (policy.name === 'on-failure') return exitCode !== 0 && restarts < (policy.retries ?? Number.POSITIVE_INFINITY);
  return policy.name !== 'no';
}

/** @param failures how often it ended soon after its start, in a row. @returns milliseconds. */
export function restartDelay(failures: number): number {
  return Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** Math.min(failures, 20));
}
