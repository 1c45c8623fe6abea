/** Hosts of a run that are not done, and that a call with `--resume` does not mean. */
import { P2cError, usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import type { HostOutcome } from '../pipeline/fleet.ts';
import type { RunRecord } from '../report/run-record.ts';
import { namesOf } from '../report/units.ts';

/**
 * Their names. A call that goes on with some hosts by its own `--limit` leaves out the others, and says so.
 * @param limited whether `--limit` was typed with `--resume`.
 * @throws P2cError `run.changed` where it was not: the inventory or a file of names has other hosts than it had.
 */
export function leftOutOf(
  resumed: RunRecord,
  meant: readonly Pick<FleetHost, 'name'>[],
  limited: boolean,
): readonly string[] {
  const names = new Set(meant.map(({ name }) => name));
  const left = resumed.hosts.filter(({ name, state }) => state !== 'done' && !names.has(name)).map(({ name }) => name);
  if (left.length === 0 || limited) return left;
  throw usageError(
    `${namesOf(left)} of the run ${resumed.id} ${left.length === 1 ? 'is' : 'are'} not done, and its inventory, patterns and limits do not mean ${left.length === 1 ? 'it' : 'them'} any more`,
    {
      code: 'run.changed',
      hint: "mend the inventory, or the file that '--limit @FILE' names; '--limit' with '--resume' goes on with some hosts",
    },
  );
}

/** They were not begun: the run is not done. */
export function leftOutOutcomes(names: readonly string[]): HostOutcome<{ readonly name: string }, never>[] {
  const error = new P2cError('it was not begun: --limit leaves it out', {
    code: 'fleet.left-out',
    hint: "'p2c migrate --resume' without it goes on with all that are not done",
  });
  return names.map((name) => ({ host: { name }, error, begun: false }));
}
