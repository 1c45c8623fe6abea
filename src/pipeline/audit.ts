/** `p2c audit`: the read-only half alone. Nothing on the source changes, and nothing is stored. */
import { complaintsThatMatter } from '../listing/blind-spots.ts';
import { estimatedParts } from '../listing/plan.ts';
import { type SurveyReport, surveyReport } from '../report/survey-report.ts';
import { formatCount } from '../report/units.ts';
import { Ahead } from './ahead.ts';
import { type Judged, Judgement } from './judgement.ts';
import { canJudgeAsListed, Judging } from './judging.ts';
import type { SurveyRequest } from './request.ts';
import { retrying } from './retry.ts';
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';
import { scanFilesystems } from './stages/list.ts';
import { rulesOf } from './stages/rules.ts';
import {
  type Beginning,
  beginSurvey,
  findingsOf,
  patienceOf,
  RECOGNISE,
  recogniseApplications,
  surveyFrom,
} from './survey.ts';
import { WorkFolder } from './work-folder.ts';

/** Titles of the stages; `Connect` is not among them, for it may ask for a password. */
export const AUDIT_STAGES = ['Find the mounted filesystems', RECOGNISE, 'List the files'] as const;

export function audit(request: SurveyRequest, show: Show): Promise<SurveyReport> {
  return holding(async (held) => {
    const beginning = await beginSurvey(request, show, held);
    if (canJudgeAsListed(beginning.facts.filesystems)) return auditAsListed(beginning, request, show);
    const work = held.use(await WorkFolder.temporary());
    return surveyReport(findingsOf(request, await surveyFrom(beginning, request, show, work)));
  });
}

/** The files are judged while they are listed, and are listed while the applications are recognised. */
async function auditAsListed(beginning: Beginning, request: SurveyRequest, show: Show): Promise<SurveyReport> {
  const { session, facts } = beginning;
  const { filesystems } = facts;
  const patience = patienceOf(request, show);
  // Without those of profiles, which are not known yet.
  const early = rulesOf(request, facts);
  const recognising = recogniseApplications(beginning, request, show);
  await using judging = new Ahead(patience.signal, (tell, signal) =>
    retrying('list the files', { ...patience, signal }, async () => {
      await request.hazards?.clear();
      const judgement = recognising.then((known) => new Judgement({ ...request, ...known, filesystems }));
      const input = { ...patience, retries: 0, signal, session, facts, rules: early, reason: '' } as const;
      const { problems } = await scanFilesystems(input, new Judging(judgement, filesystems), tell);
      return { problems, audited: (await judgement).result(problems) };
    }),
  );
  const recognised = await recognising;
  const { problems, audited } = await show.stage('List the files', (tell) => judging.shown(tell), describeJudged);
  recognised.rules.addUseOf(early);
  return surveyReport({
    target: request.target.name,
    facts,
    ...recognised,
    entries: audited.entries,
    problems: complaintsThatMatter(problems, recognised.rules),
    audited,
    unusedRules: recognised.rules.unused,
    plan: audited.capture,
    layers: estimatedParts(audited.capture.tarBytes, request.partSize),
    ledger: session.ledger,
  });
}

function describeJudged({ audited: { entries, duplicates } }: { readonly audited: Judged }): string {
  const listed = formatCount(entries, 'entry', 'entries');
  return `${listed}; a tar over all mounts would hold ${formatCount(duplicates.total, 'path')} twice`;
}
