/** How a server was before its applications were stopped, held against how it is after they were started again. */
import type { CommandRunner } from '../ssh/session.ts';
import type { Application } from './application.ts';
import { type Difference, differences, type Fingerprint, takeFingerprint } from './fingerprint.ts';
import { askHealth, type Health, type HealthAnswer, type HealthCheck, nameOfHealth } from './health.ts';
import { pause } from './pause.ts';

export interface HealthReport {
  readonly application: string;
  /** `tcp 80`. */
  readonly check: string;
  readonly before: Health;
  readonly after: Health;
  /** What was said after the start; empty where all is well. */
  readonly says: string;
}

export interface Comparison {
  readonly health: readonly HealthReport[];
  /** Listeners, programs and services that are gone or new. */
  readonly differences: readonly Difference[];
}

export interface Before {
  readonly fingerprint: Fingerprint;
  readonly health: readonly { readonly application: string; readonly check: HealthCheck; readonly health: Health }[];
}

/** Read-only. @throws P2cError of the session. */
export async function lookBefore(
  session: CommandRunner,
  applications: readonly Pick<Application, 'name' | 'health'>[],
): Promise<Before> {
  const fingerprint = await takeFingerprint(session);
  const checks = applications.flatMap(({ name, health }) => health.map((check) => ({ application: name, check })));
  const health: Before['health'][number][] = [];
  for (const { application, check } of checks) {
    health.push({ application, check, health: (await askHealth(session, application, check)).health });
  }
  return { fingerprint, health };
}

export interface Waiting {
  /** For so many milliseconds something that is missing may still be on its way up: what no profile waits for. */
  readonly settleMs: number;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
}

/** Waits for what was healthy to be so again, each check for its own limit. Read-only. @throws P2cError of the session. */
export async function compareWith(before: Before, session: CommandRunner, waiting: Waiting): Promise<Comparison> {
  return {
    health: await compareHealth(before, session, waiting.signal),
    differences: await settledDifferences(before.fingerprint, session, waiting),
  };
}

/** The first half of it. @param signal ends the waiting. */
export async function compareHealth(
  before: Pick<Before, 'health'>,
  session: CommandRunner,
  signal: AbortSignal,
): Promise<HealthReport[]> {
  const health: HealthReport[] = [];
  for (const { application, check, health: was } of before.health) {
    const limitMs = was === 'healthy' ? check.timeout : 0;
    const { health: after, says } = await healthWithin(limitMs, () => askHealth(session, application, check), signal);
    health.push({ application, check: nameOfHealth(check), before: was, after, says });
  }
  return health;
}

async function healthWithin(
  limitMs: number,
  ask: () => Promise<HealthAnswer>,
  signal: AbortSignal,
): Promise<HealthAnswer> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer.health === 'healthy' || performance.now() > deadline || signal.aborted) return answer;
    await pause(1000, signal);
  }
}

async function settledDifferences(
  before: Fingerprint,
  session: CommandRunner,
  { settleMs, signal }: Waiting,
): Promise<Difference[]> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const found = differences(before, await takeFingerprint(session));
    const gone = found.some(({ change }) => change === 'gone');
    if (!gone || performance.now() > deadline || signal.aborted) return found;
    await pause(1000, signal);
  }
}
