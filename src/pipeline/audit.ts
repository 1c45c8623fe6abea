/** `p2c audit`: the read-only half alone. Nothing on the source changes, and nothing is stored. */
import type { SurveyReport } from '../report/survey-report.ts';
import { openSource } from './open-source.ts';
import type { SurveyRequest } from './request.ts';
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';

export function audit(request: SurveyRequest, show: Show): Promise<SurveyReport> {
  return holding(async (held) => {
    // What audits is loaded while the server answers.
    const [session, { auditOver }] = await Promise.all([openSource(request, show, held), import('./judged-audit.ts')]);
    return auditOver(session, request, show);
  });
}
