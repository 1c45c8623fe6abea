/** Says which limits this machine cannot give as they were asked for. */
import { loweredUlimits, type Ulimit } from '../runtime/ulimit.ts';

export function noteLoweredLimits(ulimits: readonly Ulimit[]): void {
  for (const note of loweredUlimits(ulimits)) process.stderr.write(`p2c: ${note}\n`);
}
