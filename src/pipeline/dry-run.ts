/** `p2c migrate --dry-run`: the survey, and every command that would follow it, in order and as it would be run. */
import { tmpdir } from 'node:os';
import { findScript } from '../listing/scan.ts';
import { printablePath } from '../printable.ts';
import { planQuiesce } from '../profiles/quiesce.ts';
import { type SurveyReport, surveyReport } from '../report/survey-report.ts';
import { requireTar } from '../source/tools.ts';
import type { RemoteCommand } from '../ssh/session.ts';
import type { MigrationRequest } from './request.ts';
import { Belongings } from './rollback.ts';
import type { Show } from './stage.ts';
import { partCommand } from './stages/stream.ts';
import { findingsOf, type Survey, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

export interface DryRun {
  readonly survey: SurveyReport;
  readonly commands: readonly RemoteCommand[];
}

export async function dryRun(request: MigrationRequest, show: Show): Promise<DryRun> {
  await using held = new Belongings();
  const work = held.use(await WorkFolder.create(tmpdir()));
  const surveyed = await survey(request, show, held, work);
  requireTar(surveyed.facts.tools, request.target.name);
  return { survey: surveyReport(findingsOf(request, surveyed)), commands: commandsAfter(request, surveyed) };
}

function commandsAfter(request: MigrationRequest, { facts, plan }: Survey): RemoteCommand[] {
  const stops = request.stop && request.profiles.length > 0;
  const { stop, start } = stops ? planQuiesce(request.profiles) : { stop: [], start: [] };
  const again: RemoteCommand[] = facts.filesystems
    .filter((mount) => stops && mount.verdict === 'included')
    .map((mount) => ({
      purpose: `list ${printablePath(mount.mountPoint)} again`,
      script: findScript(mount.mountPoint),
    }));
  const streams = plan.parts.map((part) => partCommand(part, facts.tools));
  return request.hot ? [...streams, ...stop, ...again, ...start] : [...stop, ...again, ...streams, ...start];
}
