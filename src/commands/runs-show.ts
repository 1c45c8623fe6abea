/** `p2c runs show`: what came of each host of a run. */
import { ExitCode } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText, printable } from '../printable.ts';
import { byReason } from '../report/not-begun.ts';
import type { HostRecord, RunRecord } from '../report/run-record.ts';
import { describeState } from '../report/run-state.ts';
import { table } from '../report/table.ts';
import { toldRun } from '../report/told-argv.ts';
import { troubleOf } from '../report/trouble.ts';
import { formatBytes, formatDuration } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { namedRun } from './named-run.ts';
import { tableWidth } from './show.ts';

export const verb = defineVerb({
  name: 'runs show',
  usage: '[options] [RUN]',
  summary: 'show what came of each host of a run: the newest, or the one named by the beginning of its name',
  examples: [
    ['p2c runs show', 'the newest run'],
    ['p2c runs show --failed > failed.txt', "for 'p2c migrate -i FILE --limit @failed.txt'"],
    ['p2c runs show 20261125-0940 --json', 'all that is known of it, for a program'],
  ],
  options: (parser) =>
    parser
      .option('failed', {
        type: 'boolean',
        default: false,
        describe: 'print the names of the hosts that failed or were not begun, for --limit @FILE',
      })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ json, failed }, words) {
    const { run, state, underWay } = await namedRun(storeRoot(), words);
    if (failed) {
      const names = run.hosts.filter((host) => isToBeDone(host, underWay)).map((host) => host.name);
      process.stdout.write(json ? `${jsonText(names)}\n` : names.map((host) => `${host}\n`).join(''));
      return ExitCode.done;
    }
    process.stdout.write(`${json ? jsonText({ ...toldRun(run), state }) : describe(run, state)}\n`);
    return ExitCode.done;
  },
});

/** While a run is under way, those that wait for their turn or their next attempt may still be done by it. */
function isToBeDone({ state, error }: HostRecord, underWay: boolean): boolean {
  return underWay ? error !== undefined && state !== 'waiting' : state !== 'done';
}

function describe(run: RunRecord, state: string): string {
  const rows = run.hosts.map((host) => [
    host.name,
    host.state,
    host.image ?? '-',
    lastStage(host),
    host.began === undefined ? '-' : formatDuration((host.ended ?? run.lastSeen) - host.began),
    captured(host),
  ]);
  return [
    `Run      ${run.id}: p2c ${run.verb}, begun ${new Date(run.began).toISOString()}`,
    `State    ${describeState(run, state)}`,
    ...run.hosts.filter(({ state: each }) => each !== 'not begun').flatMap(describeTrouble),
    ...describeNotBegun(run.hosts),
    '',
    table(rows, ['HOST', 'STATE', 'IMAGE', 'LAST STAGE', 'TOOK', 'CAPTURED'], tableWidth()),
  ].join('\n');
}

function lastStage({ stages }: HostRecord): string {
  const last = stages.at(-1);
  return last === undefined ? '-' : last.stage;
}

function captured({ capturedBytes, keptBytes }: HostRecord): string {
  if (capturedBytes + keptBytes === 0) return '-';
  return keptBytes === 0 ? formatBytes(capturedBytes) : `${formatBytes(capturedBytes)}, ${formatBytes(keptBytes)} kept`;
}

/** A line for those that were not begun for one reason: often that is all that are left. */
function describeNotBegun(hosts: readonly HostRecord[]): string[] {
  const notBegun = hosts.flatMap(({ name, state, error }) => (state === 'not begun' && error ? [{ name, error }] : []));
  return byReason(notBegun).flatMap(({ who, error }) => [
    `Not begun ${who}: ${printable(error.message)}`,
    ...(error.hint === undefined ? [] : [`           ${printable(error.hint)}`]),
  ]);
}

function describeTrouble(host: HostRecord): string[] {
  const error = troubleOf(host);
  if (error === undefined) return [];
  const hint = error.hint === undefined ? [] : [`           ${printable(error.hint)}`];
  const what = host.error === undefined ? 'No boot ' : 'Failed  ';
  return [`${what} ${host.name}: ${printable(error.message)}`, ...hint];
}
