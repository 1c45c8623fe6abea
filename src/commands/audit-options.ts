/** The options of `audit`, for one server and for an inventory, and what its exit code says. */
import type { Argv } from 'yargs';
import { ExitCode } from '../errors.ts';
import type { SurveyReport } from '../report/survey-report.ts';
import { type CaptureOptions, withCaptureOptions } from './capture-options.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import { type FleetOptions, withFleetOptions } from './fleet-options.ts';

export type AuditOptions = ConnectionOptions &
  CaptureOptions &
  FleetOptions & { json: boolean; why: string[] | undefined };

export function withAuditOptions<Declared>(parser: Argv<Declared>): Argv<Declared & AuditOptions> {
  return withFleetOptions(withConnectionOptions(withCaptureOptions(parser)))
    .option('why', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'say what would become of this path, and which rule says so (repeatable)',
    })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' });
}

/**
 * Duplicates are what an audit is for, unless it was asked about paths alone; else places that could not be looked at make
 * its answer incomplete.
 */
export function exitCodeOf({ duplicates, listing, why }: SurveyReport): ExitCode {
  if (duplicates.total > 0 && why.length === 0) return ExitCode.differences;
  return listing.problems.length > 0 ? ExitCode.blindSpots : ExitCode.done;
}
