/** `p2c migrate --dry-run`: the survey, and every command that would follow it, in order and as it would be run. */

import { holder } from '../profiles/lease-sight.ts';
import { compareCommands, planQuiesce } from '../profiles/planned.ts';
import { type SurveyReport, surveyReport } from '../report/survey-report.ts';
import { formatCount } from '../report/units.ts';
import { MOUNTS_COMMAND } from '../source/facts.ts';
import { MAPPED_FILES_COMMAND } from '../source/mapped-files.ts';
import type { PlannedCommand } from '../ssh/session.ts';
import type { Wire } from '../ssh/wire.ts';
import { requireCapturable } from './capturable.ts';
import type { MigrationRequest } from './request.ts';
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';
import { attributesCommands } from './stages/attributes.ts';
import { type ListingReason, listCommand } from './stages/finds.ts';
import type { ScannedListing } from './stages/list.ts';
import { partCommand } from './stages/part.ts';
import { agreeOnWire, findingsOf, type Survey, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

export interface DryRun {
  readonly survey: SurveyReport;
  readonly commands: readonly PlannedCommand[];
}

export function dryRun(request: MigrationRequest, show: Show): Promise<DryRun> {
  return holding(async (held) => {
    const work = held.use(await WorkFolder.temporary());
    const surveyed = await survey(request, show, held, work);
    requireCapturable(request, surveyed);
    const wire = await agreeOnWire(request, surveyed, show);
    return {
      survey: surveyReport(findingsOf(request, surveyed)),
      commands: commandsAfter({ ...request, profiles: surveyed.profiles }, surveyed, wire),
    };
  });
}

/** In the order of {@link migrate}. */
function commandsAfter(request: MigrationRequest, { facts, plan, scanned }: Survey, wire: Wire): PlannedCommand[] {
  const stops = request.stop && request.profiles.length > 0;
  const { stop, start, trouble } = planQuiesce(
    stops ? request.profiles : [],
    request.leaseMs,
    holder(undefined),
    request.leaveStopped ? 'leave' : 'start',
  );
  const { hot, settle, sparse } = request;
  const streams = plan.parts.map((part) => ({
    ...partCommand(part, facts.tools, { wire, sparse }),
    inputText: `the part's ${formatCount(part.entries, 'path')}, relative to /, separated by NULs`,
  }));
  const copy = hot
    ? [MAPPED_FILES_COMMAND, ...attributesCommands(facts, scanned.starts), ...streams, ...stop]
    : [
        ...stop,
        ...(stops ? listing(scanned, ' again') : []),
        MAPPED_FILES_COMMAND,
        ...attributesCommands(facts, scanned.starts),
        ...streams,
      ];
  const looks = [
    ...listing(scanned, ' to see what moved', `once, and after each of at most ${formatCount(settle, 'round')}`),
    ...(settle === 0
      ? []
      : [
          {
            ...partCommand({ index: 0 }, facts.tools, { wire, sparse }),
            when: 'once a round, for the paths that moved',
          },
        ]),
  ];
  const before = request.boot === undefined ? [] : compareCommands(request.profiles);
  return [...before, ...copy, ...looks, ...start, ...trouble];
}

/** As the survey's own listing went. */
function listing({ starts }: ScannedListing, reason: ListingReason, when?: string): PlannedCommand[] {
  const finds = starts.map((start) => listCommand(start, reason));
  const first = starts.findIndex(({ device }) => device !== undefined);
  const commands = first < 0 ? finds : finds.toSpliced(first, 0, MOUNTS_COMMAND);
  return commands.map((command) => ({ ...command, ...(when === undefined ? {} : { when }) }));
}
