/** `p2c profiles test`: stops and starts the applications of profiles on a source, and captures nothing. */
import { requireAskedServices } from '../profiles/asked-services.ts';
import { listProfiles } from '../profiles/load.ts';
import { applicable, recognise } from '../profiles/recognise.ts';
import type { Profile } from '../profiles/schema.ts';
import { describeDetections, type RecognisedApplication, recognised } from '../report/applications.ts';
import { type StopReport, stoppedAndStarted } from '../report/stop-report.ts';
import type { ConnectOptions } from '../ssh/connect.ts';
import type { LedgerEntry } from '../ssh/session.ts';
import type { Target } from '../ssh/target.ts';
import { connectPrivileged } from './open-source.ts';
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';
import { START, STOP, stopApplications } from './stages/stop-and-start.ts';
import { RECOGNISE } from './titles.ts';

export interface ProfileTestRequest {
  readonly target: Target;
  readonly connect: ConnectOptions & { readonly retries: number };
  /** Empty where those of what runs are to be recognised. */
  readonly profiles: readonly Profile[];
  readonly leaseMs: number;
}

export interface ProfileTest extends StopReport {
  readonly target: string;
  /** What the profiles recognise. */
  readonly recognised: readonly RecognisedApplication[];
  /** Each step, in the order in which they were carried out. */
  readonly steps: readonly {
    readonly purpose: string;
    /** Exit code; null where the step was not needed. */
    readonly code: number | null;
    readonly milliseconds: number;
    readonly output: string;
  }[];
  /** What did not go smoothly, though all runs. */
  readonly notes: readonly string[];
  readonly ledger: readonly LedgerEntry[];
}

export const PROFILE_TEST_STAGES = [RECOGNISE, STOP, START] as const;

/** Whatever it stopped is started again on every way out. @throws P2cError `quiesce.*`, `ssh.*`. */
export function testProfiles(request: ProfileTestRequest, show: Show, signal: AbortSignal): Promise<ProfileTest> {
  return holding(async (held) => {
    const { target, leaseMs } = request;
    const session = await show.stage('Connect', () => connectPrivileged(request, (line) => show.note(line)));
    held.use(session);
    const candidates = request.profiles.length === 0 ? listProfiles() : request.profiles;
    const detections = await show.stage(RECOGNISE, () => recognise(session, candidates), describeDetections);
    const profiles = request.profiles.length === 0 ? applicable(detections) : request.profiles;
    await requireAskedServices(session, profiles);
    signal.throwIfAborted();
    const stopped = await stopApplications(session, { target, profiles, leaseMs }, { show, held, signal });
    const report = await show.stage(START, () => stopped.resume());
    const inOrder = [...report.applications].reverse();
    const steps = [
      ...inOrder.flatMap((application) => application.steps.filter(({ purpose }) => purpose.startsWith('stop '))),
      ...report.applications.flatMap(({ steps: all }) => all.filter(({ purpose }) => purpose.startsWith('start '))),
    ];
    return {
      target: target.name,
      recognised: detections.map(recognised),
      ...stoppedAndStarted(report),
      steps: steps.map(({ purpose, code, milliseconds, output }) => ({ purpose, code, milliseconds, output })),
      notes: report.notes,
      ledger: session.ledger,
    };
  });
}
