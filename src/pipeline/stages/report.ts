/** Puts a migration's report together from what its stages handed over. */
import type { Adaptation } from '../../adapt/adapt.ts';
import type { CapturePlan } from '../../listing/plan.ts';
import type { Image } from '../../oci/image.ts';
import { printablePath } from '../../printable.ts';
import { adaptationReport } from '../../report/adaptation-report.ts';
import type { BootReport } from '../../report/boot-report.ts';
import type { MigrationReport } from '../../report/migration-report.ts';
import type { WrittenReceipt } from '../../report/receipt/write.ts';
import { summariseSettling } from '../../report/settle-report.ts';
import type { StopReport } from '../../report/stop-report.ts';
import { addAccounts } from '../../report/stream-account.ts';
import { surveyReport } from '../../report/survey-report.ts';
import type { Wire } from '../../ssh/wire.ts';
import type { MigrationRequest } from '../request.ts';
import { findingsOf, type Survey } from '../survey.ts';
import type { Settled } from './settle.ts';
import type { CapturedLayers } from './stream.ts';
import type { CapturedVolume } from './volumes.ts';

export interface Outcome {
  readonly request: MigrationRequest;
  /** When this process began. */
  readonly began: Date;
  readonly surveyed: Survey;
  readonly plan: CapturePlan;
  /** What find could not look at, in each listing of the run: the same is told once. */
  readonly problems: readonly string[];
  readonly wire: Wire;
  readonly captured: CapturedLayers;
  readonly settled: Settled;
  readonly stopped: StopReport | null;
  readonly receipt: WrittenReceipt;
  readonly adaptation: Adaptation | undefined;
  readonly image: Image;
  readonly volumes: readonly CapturedVolume[];
  readonly boot: BootReport | undefined;
}

export function migrationReport(outcome: Outcome): MigrationReport {
  const { request, began, surveyed, plan, problems, wire, captured, settled } = outcome;
  const { receipt, adaptation, image } = outcome;
  const finished = new Date();
  const stream = addAccounts([captured.account, ...settled.accounts]);
  return {
    ...surveyReport({ ...findingsOf(request, surveyed), plan, problems: [...new Set(problems)] }),
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
