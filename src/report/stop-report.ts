/** What became of the applications that a run stopped: in its report, and in lines for people. */
import { printable } from '../printable.ts';
import type { HealthReport } from '../profiles/comparison.ts';
import type { LeftReport, ResumeReport } from '../profiles/quiesce.ts';
import { formatDuration } from './units.ts';

export interface StopReport {
  /** How long the one that was down the longest was down. */
  readonly milliseconds: number;
  /** In the order in which they were started. */
  readonly applications: readonly {
    readonly name: string;
    readonly downMs: number;
    /** True where the watchdog on the source started it. */
    readonly byWatchdog: boolean;
    /** How its start failed, where it came up all the same. */
    readonly trouble: string | null;
    readonly health: readonly Omit<HealthReport, 'application'>[];
  }[];
  /** Applications that were not running before, and so were left alone. */
  readonly leftAlone: readonly string[];
  /** Commands that start what --leave-stopped left stopped, in their order; null where all was started again. */
  readonly leftStopped: readonly string[] | null;
  /** Listeners, programs and services that are gone after the start, or new. */
  readonly differences: ResumeReport['differences'];
}

/** Healthy before the stop, and not so after the start. */
export function isWorse({ before, after }: Pick<HealthReport, 'before' | 'after'>): boolean {
  return before === 'healthy' && after !== 'healthy';
}

export function isHealthy({ applications }: StopReport): boolean {
  return !applications.some(({ health }) => health.some(isWorse));
}

export function stoppedAndStarted({ applications, leftAlone, health, differences }: ResumeReport): StopReport {
  return {
    milliseconds: Math.max(0, ...applications.map((app) => app.downMs)),
    applications: applications.map(({ name, downMs, byWatchdog, trouble }) => ({
      name,
      downMs,
      byWatchdog,
      trouble,
      health: health
        .filter(({ application }) => application === name)
        .map(({ check, before, after, says }) => ({ check, before, after, says })),
    })),
    leftAlone: [...leftAlone],
    leftStopped: null,
    differences,
  };
}

export function stoppedAndLeft({ applications }: LeftReport, leftAlone: readonly string[]): StopReport {
  return {
    milliseconds: Math.max(0, ...applications.map((app) => app.downMs)),
    applications: applications.map(({ name, downMs }) => ({
      name,
      downMs,
      byWatchdog: false,
      trouble: null,
      health: [],
    })),
    leftAlone: [...leftAlone],
    leftStopped: applications.flatMap(({ byHand }) => byHand),
    differences: [],
  };
}

/** Lines for the end of a run. @param host for whom the source is named. */
export function describeStop(stopped: StopReport | null, host: string): string[] {
  if (stopped === null) return ['Stopped     nothing: no profile applies, or --no-stop'];
  const { applications, leftAlone, leftStopped } = stopped;
  const down = applications.map((app) => `${app.name} ${formatDuration(app.downMs)}`).join(', ');
  const alone = leftAlone.length === 0 ? '' : `; not running before: ${leftAlone.join(', ')}`;
  if (leftStopped !== null && leftStopped.length > 0) {
    const names = applications.map(({ name }) => name).join(', ');
    return [
      `LEFT DOWN   ${names}: stopped on ${host}, and they stay so until somebody starts them or it boots${alone}`,
      ...leftStopped.map((command) => `              ${printable(command)}`),
    ];
  }
  return [
    `Stopped     ${down === '' ? 'nothing' : down}${alone}`,
    ...applications.flatMap(({ name, trouble }) =>
      trouble === null ? [] : [`              ${name} is up, though ${printable(trouble)}`],
    ),
    ...describeHealth(stopped),
    ...describeDifferences(stopped),
  ];
}

function describeHealth({ applications }: StopReport): string[] {
  const checks = applications.flatMap(({ name, health }) => health.map((check) => ({ name, ...check })));
  if (checks.length === 0) return [];
  const well = checks.filter(({ before, after }) => before === 'healthy' && after === 'healthy');
  const rest = checks.filter((check) => !well.includes(check));
  return [
    `Healthy     ${well.length} of ${checks.length} checks, before and after`,
    ...rest.map(
      ({ name, check, before, after, says }) =>
        `              ${name}, ${check}: ${before} before, ${after} after${says === '' ? '' : ` (${says})`}`,
    ),
  ];
}

function describeDifferences({ differences }: StopReport): string[] {
  if (differences.length === 0) return [];
  return [
    'Differs     from before the stop:',
    ...differences.slice(0, 20).map(({ kind, name, change }) => `              ${kind} ${name} is ${change}`),
    ...(differences.length > 20 ? [`              and ${differences.length - 20} more`] : []),
  ];
}
