/** The audit of a source, over an open session: its files are judged while they are listed wherever that can be. */
import { complaintsThatMatter } from '../listing/blind-spots.ts';
import { estimatedParts } from '../listing/plan.ts';
import { type SurveyReport, surveyReport } from '../report/survey-report.ts';
import { formatCount } from '../report/units.ts';
import type { Session } from '../ssh/session.ts';
import { Ahead } from './ahead.ts';
import { type Judged, Judgement } from './judgement.ts';
import { canJudgeAsListed, Judging } from './judging.ts';
import type { SurveyRequest } from './request.ts';
import { patienceOf, retrying } from './retry.ts';
import type { Show } from './stage.ts';
import { scanFilesystems } from './stages/list.ts';
import { type Beginning, beginSurvey, earlyRules, findingsOf, recogniseApplications, surveyFrom } from './survey.ts';
import { LIST_FILES } from './titles.ts';
import { WorkFolder } from './work-folder.ts';

export async function auditOver(session: Session, request: SurveyRequest, show: Show): Promise<SurveyReport> {
  const beginning = beginSurvey(session, request, show);
  if (canJudgeAsListed(await beginning.filesystems)) return auditAsListed(beginning, request, show);
  await using work = await WorkFolder.temporary();
  return surveyReport(findingsOf(request, await surveyFrom(beginning, request, show, work)));
}

/** The files are judged while they are listed, and are listed while the applications are recognised. */
async function auditAsListed(beginning: Beginning, request: SurveyRequest, show: Show): Promise<SurveyReport> {
  const { session } = beginning;
  const filesystems = await beginning.filesystems;
  const patience = patienceOf(request, show);
  const early = earlyRules(request, filesystems);
  const recognising = recogniseApplications(beginning, request, show);
  await using judging = new Ahead(patience.signal, (tell, signal) =>
    retrying('list the files', { ...patience, signal }, async () => {
      await request.hazards?.clear();
      const judgement = recognising.then((known) => new Judgement({ ...request, ...known, filesystems }));
      const input = {
        ...patience,
        retries: 0,
        signal,
        session,
        facts: { filesystems },
        rules: early,
        reason: '',
        begun: beginning.listing,
      } as const;
      const { problems } = await scanFilesystems(input, new Judging(judgement, filesystems), tell);
      return { problems, audited: (await judgement).result(problems) };
    }),
  );
  const recognised = await recognising;
  const { problems, audited } = await show.stage(LIST_FILES, (tell) => judging.shown(tell), describeJudged);
  recognised.rules.addUseOf(early);
  return surveyReport({
    target: request.target.name,
    facts: await beginning.facts,
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
