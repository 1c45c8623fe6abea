/** What a migration did, in numbers: printed at its end, and the one object of `--json`. */
import { ExitCode } from '../errors.ts';
import { type AdaptationReport, describeAdaptation } from './adaptation-report.ts';
import { type BootReport, describeBoot, isBootedWell } from './boot-report.ts';
import type { SettleSummary } from './settle-report.ts';
import { describeStop, isHealthy, type StopReport } from './stop-report.ts';
import { attributesLost, type StreamAccount } from './stream-account.ts';
import type { SurveyReport } from './survey-report.ts';
import { unusedLines } from './survey-sections.ts';
import { formatBytes, formatCount, formatDuration, formatRate } from './units.ts';

export interface MigrationReport extends SurveyReport {
  readonly started: string;
  readonly finished: string;
  readonly durationMs: number;
  readonly stream: StreamAccount;
  /** Of the parts, those that the run had captured before it was resumed. */
  readonly kept: { readonly parts: number; readonly bytes: number };
  readonly settle: SettleSummary;
  /** How the capture travelled. */
  readonly transport: {
    readonly compression: string;
    readonly reason: string;
    /** Bytes of content a second, where that was measured. */
    readonly measured: readonly { readonly compression: string; readonly bytesPerSecond: number }[];
    readonly limitBytesPerSecond: number | null;
  };
  /** Null where nothing was stopped. */
  readonly stopped: StopReport | null;
  /** Null where the capture was left as it is. */
  readonly adaptation: AdaptationReport | null;
  readonly image: {
    readonly reference: string;
    readonly digest: string;
    readonly id: string;
    readonly size: number;
    readonly layers: number;
  };
  /** What was captured beside the image. */
  readonly volumes: readonly { readonly path: string; readonly bytes: number; readonly layers: number }[];
  /** Null where no boot was asked for. */
  readonly boot: BootReport | null;
}

/** Paths that were to be captured and could not be read or may be torn, and places that could not be looked at. */
function blindSpots(report: MigrationReport): number {
  const { settle, listing, stream } = report;
  const torn = Math.max(settle.torn, settle.stillMoving);
  return settle.unreadable + settle.leftOutLate + torn + listing.problems.length + attributesLost(stream);
}

export function exitCodeOf(report: MigrationReport): ExitCode {
  if (report.boot?.outcome === 'failed') return ExitCode.failed;
  // That an application is not well is a matter of now, what the image lacks one of later.
  if (report.stopped !== null && !isHealthy(report.stopped)) return ExitCode.differences;
  if (report.boot !== null && !isBootedWell(report.boot)) return ExitCode.differences;
  return blindSpots(report) > 0 ? ExitCode.blindSpots : ExitCode.done;
}

/** The lines under the stages of a finished migration. */
export function describeMigration(report: MigrationReport): string {
  const { stream, duplicates, excluded, image } = report;
  const left = excluded.reduce((sum, item) => sum + item.entries, 0);
  return [
    `Image       ${image.reference}`,
    `Digest      ${image.digest}`,
    `Size        ${formatBytes(image.size)} in ${formatCount(image.layers, 'layer')}`,
    ...report.volumes.map(
      ({ path, bytes, layers }) => `Volume      ${path}: ${formatBytes(bytes)} in ${formatCount(layers, 'layer')}`,
    ),
    `Captured    ${formatCount(stream.entries, 'entry', 'entries')}, ${formatBytes(stream.contentBytes)} of content, ${formatRate(stream.bytes, stream.milliseconds)}`,
    ...describeTransport(report),
    ...(report.kept.parts === 0
      ? []
      : [
          `Kept        ${formatCount(report.kept.parts, 'part')}, ${formatBytes(report.kept.bytes)}, from before it was resumed`,
        ]),
    `Duplicates  ${formatCount(duplicates.total, 'path')} avoided`,
    `Left out    ${formatCount(left, 'entry', 'entries')} by ${formatCount(excluded.length, 'rule')}`,
    ...excluded.flatMap((item) => [
      `              ${item.entries.toLocaleString('en-US')} by ${item.rule}: ${item.reason}`,
      // These are files that a user may well miss: by name.
      ...(item.rule === 'sparse' ? item.examples.map((path) => `                ${path}`) : []),
    ]),
    ...unusedLines(report).map((line) => `No effect   ${line}`),
    ...describeMounts(report),
    ...describeSettle(report),
    ...describeStop(report.stopped, report.source.hostname),
    ...(report.adaptation === null ? ['Adapted     nothing'] : describeAdaptation(report.adaptation)),
    ...(report.boot === null ? [] : describeBoot(report.boot)),
    `Took        ${formatDuration(report.durationMs)}`,
    ...describeBlindSpots(report),
  ].join('\n');
}

/** Those that hold files which a user may miss: no rule counts what lies on them. */
function describeMounts({ filesystems }: MigrationReport): string[] {
  const missed = filesystems.filter(({ verdict }) => verdict === 'network' || verdict === 'removable');
  if (missed.length === 0) return [];
  return [
    `Not copied  ${formatCount(missed.length, 'mount')}:`,
    ...missed.map(({ mountPoint, reason }) => `              ${mountPoint}: ${reason}`),
  ];
}

function describeTransport({ transport }: MigrationReport): string[] {
  const { compression, reason, limitBytesPerSecond } = transport;
  const limit = limitBytesPerSecond === null ? '' : `; at most ${formatRate(limitBytesPerSecond, 1000)}`;
  if (compression === 'none' && transport.measured.length === 0 && limit === '') return [];
  return [`Transport   ${compression === 'none' ? 'not compressed' : compression}: ${reason}${limit}`];
}

function describeSettle({ settle }: MigrationReport): string[] {
  if (settle.rounds === 0) return [];
  return [
    `Settled     ${formatCount(settle.changed, 'path')} fetched again, ${settle.removed.toLocaleString('en-US')} gone`,
  ];
}

function describeBlindSpots(report: MigrationReport): string[] {
  const { stream, settle, listing } = report;
  const shown = (paths: readonly string[], total: number): string[] => [
    ...paths.slice(0, 10).map((path) => `              ${path}`),
    ...(total > 10 ? [`              and ${formatCount(total - 10, 'more', 'more')}`] : []),
  ];
  return [
    ...(settle.unreadable === 0
      ? []
      : [
          `Unreadable  ${formatCount(settle.unreadable, 'path')} did not arrive:`,
          ...shown(settle.unreadablePaths, settle.unreadable),
        ]),
    ...(settle.leftOutLate === 0
      ? []
      : [
          `Left late   ${formatCount(settle.leftOutLate, 'path')} became what a rule leaves out, and ${settle.leftOutLate === 1 ? 'is' : 'are'} not in the image:`,
          ...shown(settle.leftOutLatePaths, settle.leftOutLate),
        ]),
    ...(settle.stillMoving === 0
      ? []
      : [
          `Moving      ${formatCount(settle.stillMoving, 'path')} still changed after ${formatCount(settle.rounds, 'round')}:`,
          ...shown(settle.stillMovingPaths, settle.stillMoving),
        ]),
    ...(settle.torn <= settle.stillMoving
      ? []
      : [
          `Not as now  ${formatCount(settle.torn, 'path')} ${settle.torn === 1 ? 'is' : 'are'} in the image as ${settle.torn === 1 ? 'it was' : 'they were'} once, or in part: p2c image receipt ${report.image.reference} --verdict changed`,
        ]),
    ...(listing.problems.length === 0
      ? []
      : ['Not seen    find could not look at:', ...shown(listing.problems, listing.problems.length)]),
    ...(stream.problems.length === 0 ? [] : ['tar said', ...shown(stream.problems, stream.problems.length)]),
  ];
}
