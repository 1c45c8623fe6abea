/** `p2c inspect`: connects, looks, and judges. Nothing on the source changes, and nothing is stored. */

import { profileText } from '../advice/profile-text.ts';
import { propose } from '../advice/proposal.ts';
import { judge } from '../advice/verdict.ts';
import { detectPaths, detectProfiles, type Evidence } from '../profiles/detect.ts';
import type { Profile } from '../profiles/schema.ts';
import { type InspectReport, inspectReport } from '../report/inspect-report.ts';
import { examineMachine } from '../runtime/machine/machine.ts';
import { gatherFacts } from '../source/facts.ts';
import { valueOr } from '../source/inspection/fact.ts';
import { type Inspection, inspectSource } from '../source/inspection/inspection.ts';
import { LastingSession } from '../ssh/lasting-session.ts';
import type { SurveyRequest } from './request.ts';
import { type Belongings, holding } from './rollback.ts';
import type { Show } from './stage.ts';

export const INSPECT_STAGES = ['Find the mounted filesystems', 'Look at the server', 'Look at this machine'] as const;

export interface InspectRequest extends Pick<SurveyRequest, 'target' | 'connect'> {
  /** Those that may be recognised. */
  readonly profiles: readonly Profile[];
  readonly storeRoot: string;
}

export interface Inspected {
  readonly report: InspectReport;
  /** Makes the proposed plan a profile's file: few ask for it. */
  readonly profile: () => string;
}

/** @throws the reason of `connect.signal` once that is aborted. */
export function inspect({ target, connect, profiles, storeRoot }: InspectRequest, show: Show): Promise<Inspected> {
  const { signal } = connect;
  return holding(async (held) => {
    const onTrouble = (line: string): void => show.note(line);
    const session = await show.stage(
      'Connect',
      () => LastingSession.open(target, { ...connect, onTrouble }),
      (open) => `as ${open.target.user}`,
    );
    endWhenAborted(held, session, signal);
    signal?.throwIfAborted();
    const facts = await show.stage('Find the mounted filesystems', () => gatherFacts(session));
    signal?.throwIfAborted();
    const inspection = await show.stage(
      'Look at the server',
      () => inspectSource(session, facts, detectPaths(profiles)),
      ({ release }) => release.name,
    );
    signal?.throwIfAborted();
    const machine = await show.stage('Look at this machine', () => examineMachine(storeRoot));
    signal?.throwIfAborted();
    const verdict = judge({ facts, inspection, machine });
    const proposal = propose(inspection, detectProfiles(profiles, evidenceOf(inspection)));
    const { ledger } = session;
    return {
      report: inspectReport({ target: target.name, inspection, facts, machine, verdict, proposal, ledger }),
      profile: () => profileText(inspection, proposal, verdict),
    };
  });
}

/** Nothing waits for an inspection: its session is closed at once, and with it the commands that are under way. */
function endWhenAborted(held: Belongings, session: LastingSession, signal: AbortSignal | undefined): void {
  let closing: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closing ??= session[Symbol.asyncDispose]();
    return closing;
  };
  // How it closed is told by those who wait for it at the end.
  const onAbort = (): void => void close().catch(() => {});
  signal?.addEventListener('abort', onAbort, { once: true });
  held.defer(async () => {
    signal?.removeEventListener('abort', onAbort);
    await close();
  });
}

/** Processes in containers on the server are not its own. */
function evidenceOf({ processes, packages, services, listeners, existing }: Inspection): Evidence {
  return {
    processes: valueOr(processes, []).filter(({ inContainer }) => !inContainer),
    paths: new Set(existing),
    packages: new Set(valueOr(packages, { installed: [] }).installed.map(({ name }) => name)),
    services: new Set(valueOr(services, []).map(({ name }) => name)),
    ports: valueOr(listeners, []),
  };
}
