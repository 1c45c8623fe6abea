/** What `audit` and `migrate` share when they run over an inventory: its options, the lines, the table, the exit code. */
import type { Argv } from 'yargs';
import { describeError, ExitCode, errorRecord, usageError } from '../errors.ts';
import { type FleetHost, loadInventory, selectHosts } from '../fleet/inventory.ts';
import { type HostOutcome, runHosts } from '../pipeline/fleet.ts';
import { type Show, SILENT } from '../pipeline/stage.ts';
import { PlainShow } from '../report/plain-show.ts';
import { table } from '../report/table.ts';
import { interruptible } from './interrupt.ts';
import { terminalWidth } from './show.ts';

export interface FleetOptions {
  inventory: string | undefined;
  concurrency: number;
}

export function withFleetOptions<Options>(parser: Argv<Options>): Argv<Options & FleetOptions> {
  return parser
    .option('inventory', {
      alias: 'i',
      type: 'string',
      requiresArg: true,
      describe: 'inventory file: run over its hosts; the words left name some of them',
    })
    .option('concurrency', { type: 'number', default: 2, requiresArg: true, describe: 'hosts at the same time' });
}

/** What is done with each host, and how its result is told. */
export interface FleetVerb<Result> {
  work(host: FleetHost, show: Show, signal: AbortSignal): Promise<Result>;
  exitCode(result: Result): ExitCode;
  readonly columns: readonly string[];
  row(result: Result): string[];
}

/** The hosts of an inventory, or those of them that are named. @throws P2cError for a file or a name that is wrong. */
export async function fleetHosts(file: string, names: readonly string[]): Promise<readonly FleetHost[]> {
  return selectHosts(await loadInventory(file), names);
}

/** Runs, prints the table (or one JSON object), and answers the worst exit code: a failure before a blind spot. */
export async function runFleet<Result>(
  hosts: readonly FleetHost[],
  options: { readonly concurrency: number; readonly json: boolean },
  verb: FleetVerb<Result>,
): Promise<ExitCode> {
  if (!Number.isInteger(options.concurrency) || options.concurrency < 1) {
    throw usageError(`--concurrency ${options.concurrency} is not a whole number above 0`, { code: 'usage' });
  }
  const outcomes = await interruptible((signal) =>
    runHosts(hosts, {
      concurrency: options.concurrency,
      showFor: (host) => (options.json ? SILENT : new PlainShow(writeLine, `${host.name}: `)),
      work: (host, show, abort) => verb.work(host, show, abort),
      signal,
    }),
  );
  if (options.json) process.stdout.write(`${JSON.stringify({ hosts: outcomes.map(outcomeRecord) })}\n`);
  else printOutcomes(outcomes, verb);
  return worstOf(outcomes.map((outcome) => exitCodeOf(outcome, verb)));
}

function writeLine(line: string): void {
  process.stderr.write(`${line}\n`);
}

function outcomeRecord<Result>(outcome: HostOutcome<FleetHost, Result>): object {
  const { name } = outcome.host;
  return 'error' in outcome
    ? { host: name, error: errorRecord(outcome.error) }
    : { host: name, result: outcome.result };
}

function printOutcomes<Result>(outcomes: readonly HostOutcome<FleetHost, Result>[], verb: FleetVerb<Result>): void {
  for (const outcome of outcomes) {
    if ('error' in outcome) writeLine(describeError(outcome.error).replace(/^p2c: /, `p2c: ${outcome.host.name}: `));
  }
  const blank = verb.columns.map(() => '-');
  const rows = outcomes.map((outcome) =>
    'error' in outcome
      ? [outcome.host.name, 'failed', ...blank]
      : [outcome.host.name, stateOf(verb.exitCode(outcome.result)), ...verb.row(outcome.result)],
  );
  process.stdout.write(`${table(rows, ['HOST', 'STATE', ...verb.columns], terminalWidth())}\n`);
  const failed = outcomes.filter((outcome) => 'error' in outcome).length;
  process.stdout.write(`${outcomes.length - failed} done, ${failed} failed, of ${outcomes.length} hosts\n`);
}

/** A host that ended well, as the table has it. */
function stateOf(code: ExitCode): string {
  if (code === ExitCode.blindSpots) return 'blind spots';
  return code === ExitCode.differences ? 'duplicates' : 'done';
}

function exitCodeOf<Result>(outcome: HostOutcome<FleetHost, Result>, verb: FleetVerb<Result>): ExitCode {
  if (!('error' in outcome)) return verb.exitCode(outcome.result);
  const { code } = errorRecord(outcome.error);
  return code === 'interrupted' ? ExitCode.interrupted : ExitCode.failed;
}

function worstOf(codes: readonly ExitCode[]): ExitCode {
  const order = [ExitCode.interrupted, ExitCode.failed, ExitCode.usage, ExitCode.blindSpots, ExitCode.differences];
  return order.find((code) => codes.includes(code)) ?? ExitCode.done;
}
