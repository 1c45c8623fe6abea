/** What an audit of one server prints on standard output. */
import type { HazardPaths } from '../pipeline/hazard-paths.ts';
import { jsonPieces } from '../report/long-json.ts';
import { surveyJson } from '../report/survey-json.ts';
import { describeSurvey, type SurveyReport } from '../report/survey-report.ts';
import { printPieces } from './print-pieces.ts';
import { terminalWidth } from './show.ts';

/** @param hazards every path of each, where JSON is asked for. */
export async function printSurvey(
  report: SurveyReport,
  hazards: HazardPaths | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (hazards === undefined) process.stdout.write(`${describeSurvey(report, terminalWidth())}\n`);
  else await printPieces(jsonPieces(surveyJson(report, (kind) => hazards.batches(kind))), signal);
}
