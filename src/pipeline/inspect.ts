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
import { holding } from './rollback.ts';
import type { Show } from './stage.ts';

export const INSPECT_STAGES = ['Find the mounted filesystems', 'Look at the server', 'Look at this machine'] as const;

export interface InspectRequest extends Pick<SurveyRequest, 'target' | 'connect'> {
  /** Those that may be recognised. */
  readonly profiles: readonly Profile[];
  readonly storeRoot: string;
}

export interface Inspected {
  readonly report: InspectReport;
  /** The proposed plan as a profile's file. */
  readonly profile: string;
}

export function inspect({ target, connect, profiles, storeRoot }: InspectRequest, show: Show): Promise<Inspected> {
  return holding(async (held) => {
    const onTrouble = (line: string): void => show.note(line);
    const session = await show.stage(
      'Connect',
      () => LastingSession.open(target, { ...connect, onTrouble }),
      (open) => `as ${open.target.user}`,
    );
    held.use(session);
    const facts = await show.stage('Find the mounted filesystems', () => gatherFacts(session));
    const inspection = await show.stage(
      'Look at the server',
      () => inspectSource(session, facts, detectPaths(profiles)),
      ({ release }) => release.name,
    );
    const machine = await show.stage('Look at this machine', () => examineMachine(storeRoot));
    const verdict = judge({ facts, inspection, machine });
    const proposal = propose(inspection, detectProfiles(profiles, evidenceOf(inspection)));
    const { ledger } = session;
    return {
      report: inspectReport({ target: target.name, inspection, facts, machine, verdict, proposal, ledger }),
      profile: profileText(inspection, proposal, verdict),
    };
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
