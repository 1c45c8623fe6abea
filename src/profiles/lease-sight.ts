/**
 * Who holds a source already. Two runs against one source are refused; what an earlier run left is put in order first.
 */
import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { Session } from '../ssh/session.ts';
import type { LeasePlace } from './lease-scripts.ts';
import * as scripts from './lease-scripts.ts';

/** What lies where the lease would go. */
export interface LeaseSight {
  readonly state: 'free' | 'foreign' | 'held' | 'stale';
  readonly lock: string;
  /** `since 2026-11-23T21:00:00Z by ann@laptop`. */
  readonly holder: string;
  /** Names of the applications that it owes a start. */
  readonly owed: readonly string[];
  /** What the watchdog of an earlier run did. */
  readonly log: string;
}

export async function lookAtLease(session: Session, place: LeasePlace): Promise<LeaseSight> {
  const result = await session.run(scripts.lookCommand(place));
  if (result.code !== 0) throw leaseFailed(session, 'cannot be looked for', result.stderr);
  const lines = result.stdout.toString('utf8').split('\n');
  const all = (word: string): string[] =>
    lines.filter((line) => line.startsWith(`${word} `)).map((line) => printable(line.slice(word.length + 1)));
  const state = (['foreign', 'held', 'stale'] as const).find((word) => lines[0] === word) ?? 'free';
  return {
    state,
    lock: all('lock')[0] ?? '',
    holder: all('holder')[0] ?? 'by a run that left no name',
    owed: all('owed'),
    log: all('log').join('\n'),
  };
}

/** The run that a lease is for: its name goes with the lease. */
export interface LeaseRun {
  readonly id: string;
  /** True of another run that is known here, and that no process works on: it will renew no lease. */
  isOver(id: string): Promise<boolean>;
}

/** Tells this process from an earlier one of the same number: in a container, all may have one. */
const PROCESS = randomBytes(4).toString('hex');

/** Who holds a lease, for the other run's error, and for that run when it goes on. */
export function holder(run: LeaseRun | undefined): string {
  const by = `${userInfo().username}@${hostname()}, process ${process.pid}/${PROCESS}`;
  return run === undefined ? by : `${by} of run ${run.id}`;
}

export interface Waiting {
  /** Milliseconds that a watchdog may take to start what it owes. */
  readonly limitMs: number;
  readonly run?: LeaseRun | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly tell: (line: string) => void;
}

/**
 * Makes sure that no other run holds the source. A lock whose watchdog is gone is taken over: what it owed is started. That
 * of a run that is over is not waited for until the lease runs out: its watchdog is told to act.
 * @returns what was found at the last look, and what earlier watchdogs did in `log`.
 * @throws P2cError `quiesce.busy` where another run holds it; `quiesce.start-failed` where what an earlier run left
 * stopped does not start.
 */
export async function clearTheWay(session: Session, place: LeasePlace, waiting: Waiting): Promise<LeaseSight> {
  const sight = await lookAtLease(session, place);
  if (sight.state === 'free') return sight;
  if (sight.state === 'foreign') {
    throw new P2cError(
      `${sight.lock} on ${session.target.name} is not p2c's: it belongs to another user or is a link`,
      {
        code: 'quiesce.busy',
        hint: `look at it, and remove it: ls -ld ${sight.lock}`,
      },
    );
  }
  if (sight.state === 'stale') await session.run(scripts.recoverCommand(place));
  else if (await isOver(sight, waiting.run)) {
    waiting.tell(`a run that is over holds ${session.target.name} ${sight.holder}: its watchdog lets go first`);
    await session.run(scripts.hurryCommand(place, sight.holder));
  } else throw busy(session, sight);
  const after = await waitForRelease(session, place, waiting.limitMs, waiting.signal);
  if (after.state === 'free') return after;
  if (after.state === 'held') throw busy(session, after);
  throw new P2cError(
    `an earlier run left ${after.owed.join(', ') || 'applications'} stopped on ${session.target.name} (${after.holder}), and starting failed`,
    {
      code: 'quiesce.start-failed',
      hint: `start it by hand, then: rm -r ${after.lock}; what was tried:\n${after.log}`,
    },
  );
}

/** An earlier process of the run itself is gone, for only one works on a run; another host of it may be the same server. */
async function isOver({ holder: text }: LeaseSight, run: LeaseRun | undefined): Promise<boolean> {
  const [, mark, id] = /, process \d+\/([0-9a-f]+) of run ([\w-]+)$/.exec(text) ?? [];
  if (run === undefined || id === undefined) return false;
  return id === run.id ? mark !== PROCESS : run.isOver(id);
}

export function busy(session: Session, sight: LeaseSight): P2cError {
  const owed = sight.owed.length === 0 ? '' : `; it has yet to start ${sight.owed.join(', ')} again`;
  return new P2cError(`a run of p2c holds ${session.target.name} ${sight.holder}${owed}`, {
    code: 'quiesce.busy',
    hint: `wait for its end; where it ended already, its watchdog lets go when the lease runs out (${sight.lock})`,
  });
}

/** Waits while a watchdog is at work. @returns the last sight: free, or what is left after the limit. */
export async function waitForRelease(
  session: Session,
  place: LeasePlace,
  limitMs: number,
  signal?: AbortSignal,
): Promise<LeaseSight> {
  const end = performance.now() + limitMs;
  for (;;) {
    signal?.throwIfAborted();
    const sight = await lookAtLease(session, place);
    if (sight.state !== 'held' || performance.now() > end) return sight;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export function leaseFailed(session: Session, what: string, stderr: string): P2cError {
  const said = printable(stderr.trim().slice(-500), { newlines: true });
  return new P2cError(`the lease on ${session.target.name} ${what}${said === '' ? '' : `: ${said}`}`, {
    code: 'quiesce.lease-failed',
    hint: 'applications are only stopped while a watchdog stands by to start them again; --no-stop copies without',
  });
}
