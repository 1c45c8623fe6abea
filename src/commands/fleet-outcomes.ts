/** What came of the hosts of a batch, for people: errors and their remedies, a table, one line of numbers; and the exit code. */
import { describeError, ExitCode, errorRecord, P2cError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import type { HostOutcome } from '../pipeline/fleet.ts';
import { byReason } from '../report/not-begun.ts';
import { table } from '../report/table.ts';
import { formatCount } from '../report/units.ts';
import type { FleetVerb } from './fleet.ts';
import { tableWidth } from './show.ts';

type Outcomes<Result> = readonly HostOutcome<Pick<FleetHost, 'name'>, Result>[];

/** How many of a run's hosts are what. */
export interface Tally {
  readonly done: number;
  /** Those that were not begun are not counted. */
  readonly failed: number;
  readonly notBegun: number;
}

export function tallyOf<Result>(outcomes: Outcomes<Result>): Tally {
  const wrong = outcomes.flatMap((outcome) => ('error' in outcome ? [outcome] : []));
  const failed = wrong.filter(({ begun }) => begun).length;
  return { done: outcomes.length - wrong.length, failed, notBegun: wrong.length - failed };
}

/** @param kept hosts that were done before the run was resumed. */
export function printOutcomes<Result>(
  outcomes: Outcomes<Result>,
  kept: number,
  verb: Pick<FleetVerb<Result>, 'columns' | 'row' | 'exitCode' | 'differs' | 'failure'>,
): void {
  printErrors(outcomes, verb);
  const blank = verb.columns.map(() => '-');
  const rows = outcomes.map((outcome) =>
    'error' in outcome
      ? [outcome.host.name, outcome.begun ? 'failed' : 'not begun', ...blank]
      : [outcome.host.name, stateOf(verb.exitCode(outcome.result), verb.differs), ...verb.row(outcome.result)],
  );
  process.stdout.write(`${table(rows, ['HOST', 'STATE', ...verb.columns], tableWidth())}\n`);
  process.stdout.write(`${sentenceOf(tallyOf(outcomes), kept)}\n`);
}

/** `2 done, 1 failed, 3 not begun, of 6 hosts`. */
function sentenceOf({ done, failed, notBegun }: Tally, kept: number): string {
  const more = [
    ...(notBegun === 0 ? [] : [`${notBegun} not begun`]),
    ...(kept === 0 ? [] : [`${kept} done before`]),
  ].map((words) => `, ${words}`);
  return `${done} done, ${failed} failed${more.join('')}, of ${formatCount(done + failed + notBegun + kept, 'host')}`;
}

/** Of those that were not begun, each reason once: with the first failure of many, it is that of all that are left. */
function printErrors<Result>(outcomes: Outcomes<Result>, verb: Pick<FleetVerb<Result>, 'failure'>): void {
  const notBegun: { name: string; error: P2cError }[] = [];
  for (const outcome of outcomes) {
    const error = 'error' in outcome ? outcome.error : verb.failure?.(outcome.result);
    if (error === undefined) continue;
    const { name } = outcome.host;
    if ('begun' in outcome && !outcome.begun && error instanceof P2cError) notBegun.push({ name, error });
    else printError(name, error);
  }
  for (const { who, error } of byReason(notBegun)) printError(who, error);
}

function printError(who: string, error: unknown): void {
  process.stderr.write(`${describeError(error).replace(/^p2c: /, `p2c: ${who}: `)}\n`);
}

/** A host that ended well, as the table has it. */
function stateOf(code: ExitCode, differs = 'differences'): string {
  if (code === ExitCode.blindSpots) return 'blind spots';
  if (code === ExitCode.failed) return 'not booted';
  return code === ExitCode.differences ? differs : 'done';
}

/** The worst of them: a failure before a blind spot. */
export function worstExitCode<Result>(outcomes: Outcomes<Result>, exitCode: (result: Result) => ExitCode): ExitCode {
  const codes = outcomes.map((outcome) => {
    if (!('error' in outcome)) return exitCode(outcome.result);
    return errorRecord(outcome.error).code === 'interrupted' ? ExitCode.interrupted : ExitCode.failed;
  });
  const order = [ExitCode.interrupted, ExitCode.failed, ExitCode.usage, ExitCode.blindSpots, ExitCode.differences];
  return order.find((code) => codes.includes(code)) ?? ExitCode.done;
}
