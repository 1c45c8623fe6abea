/** Puts a migration's report together from what its stages handed over. */
import { complaintsThatMatter } from '../../listing/blind-spots.ts';
import { printablePath } from '../../printable.ts';
import { adaptationReport } from '../../report/adaptation-report.ts';
import type { BootReport } from '../../report/boot-report.ts';
import type { MigrationReport } from '../../report/migration-report.ts';
import { summariseSettling } from '../../report/settle-report.ts';
import type { StopReport } from '../../report/stop-report.ts';
import { addAccounts } from '../../report/stream-account.ts';
import { surveyReport } from '../../report/survey-report.ts';
import type { Wire } from '../../ssh/wire.ts';
import type { Capture, MadeImage } from '../make-image.ts';
import type { MigrationRequest } from '../request.ts';
import { findingsOf, type Survey } from '../survey.ts';

export interface Outcome extends Capture, MadeImage {
  readonly request: MigrationRequest;
  /** When this process began. */
  readonly began: Date;
  readonly survey: Survey;
  readonly wire: Wire;
  readonly stopped: StopReport | null;
  readonly boot: BootReport | undefined;
}

export function migrationReport(outcome: Outcome): MigrationReport {
  const { request, began, survey, plan, wire, captured, settled } = outcome;
  const { receipt, adaptation, image } = outcome;
  const problems = blindSpots(outcome);
  const finished = new Date();
  const stream = addAccounts([captured.account, ...settled.accounts]);
  return {
    ...surveyReport({ ...findingsOf(request, survey), plan, problems }),
    started: began.toISOString(),
    finished: finished.toISOString(),
    durationMs: finished.getTime() - began.getTime(),
    stream,
    kept: captured.kept,
    transport: transportOf(request, wire),
    settle: summariseSettling(settled.report, receipt),
    stopped: outcome.stopped,
    adaptation: adaptation === undefined ? null : adaptationReport(adaptation),
    volumes: outcome.volumes.map(({ path, layers }) => ({
      path: printablePath(path),
      bytes: layers.reduce((sum, { size }) => sum + size, 0),
      layers: layers.length,
    })),
    image: {
      reference: request.reference.name,
      digest: image.digest,
      id: image.configDigest,
      size: image.size,
      layers: image.manifest.layers.length,
    },
    boot: outcome.boot ?? null,
  };
}

function transportOf({ connect: { limiter } }: MigrationRequest, wire: Wire): MigrationReport['transport'] {
  return { ...wire, limitBytesPerSecond: limiter?.bytesPerSecond ?? null };
}

/** What find could not look at, in each listing of the run: the same is told once. */
function blindSpots({ survey, scanned, settled }: Outcome): string[] {
  const problems = [...survey.scanned.problems, ...scanned.problems, ...settled.problems];
  return [...new Set(complaintsThatMatter(problems, survey.rules))];
}
