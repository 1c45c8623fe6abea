/** What `p2c audit --json` prints: the report, with every path of each hazard and not the first alone. */
import type { HazardKind } from '../listing/anatomy.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { LongArray } from './long-json.ts';
import type { SurveyReport } from './survey-report.ts';

/** @returns a value for `jsonPieces`. @param pathsOf all paths of a hazard, read when their turn comes. */
export function surveyJson(
  report: SurveyReport,
  pathsOf: (kind: HazardKind) => AsyncIterable<readonly ByteString[]>,
): object {
  const hazards = report.anatomy.hazards.map((hazard) => ({
    ...hazard,
    paths: new LongArray(printed(pathsOf(hazard.kind))),
  }));
  return { ...report, anatomy: { ...report.anatomy, hazards } };
}

async function* printed(batches: AsyncIterable<readonly ByteString[]>): AsyncGenerator<readonly string[]> {
  for await (const batch of batches) yield batch.map(printablePath);
}
