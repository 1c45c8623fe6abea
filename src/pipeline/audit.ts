/** `p2c audit`: the survey alone. Nothing on the source changes, and nothing is stored. */
import { type SurveyReport, surveyReport } from '../report/survey-report.ts';
import type { SurveyRequest } from './request.ts';
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';
import { findingsOf, survey } from './survey.ts';
import { WorkFolder } from './work-folder.ts';

export function audit(request: SurveyRequest, show: Show): Promise<SurveyReport> {
  return holding(async (held) => {
    const work = held.use(await WorkFolder.temporary());
    return surveyReport(findingsOf(request, await survey(request, show, held, work)));
  });
}
