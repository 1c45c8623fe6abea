/** Asks the hosts of a batch beforehand what they hold, where the verb fills the store: into the run, and for a person. */
import type { FleetHost } from '../fleet/host.ts';
import type { QueueLimits } from '../fleet/queue.ts';
import type { Run } from '../fleet/run.ts';
import type { Beforehand } from '../pipeline/beforehand.ts';
import { describeDiskPlan, estimates } from '../pipeline/disk-plan.ts';
import { PasswordRefused } from '../pipeline/password-refused.ts';
import type { Room } from '../pipeline/room.ts';
import type { Tell } from '../pipeline/stage.ts';
import type { RunRecord } from '../report/run-record.ts';
import { recordedHost } from './run-plan.ts';

/** Asks a host for the bytes that it may bring into the store at most. @param note takes what is to be known of the way there. */
export type Estimate = (host: FleetHost, signal: AbortSignal, note: Tell) => Promise<number>;

export interface DiskPlanning {
  readonly run: Run;
  readonly estimate: Estimate | undefined;
  readonly resumed: RunRecord | undefined;
  readonly waiting: readonly FleetHost[];
  readonly room: Room;
  readonly limits: QueueLimits;
  readonly beforehand: Beforehand;
  /** Takes a line about a host, for a person. */
  readonly notice: (host: FleetHost, line: string) => void;
}

/** @returns how what all hosts hold compares with the room there is; undefined where nobody is asked. */
export async function planDisk(
  { run, estimate, resumed, waiting, room, limits, beforehand, notice }: DiskPlanning,
  signal: AbortSignal,
): Promise<string | undefined> {
  // One host's own plan says it more exactly, and as early.
  if (estimate === undefined || waiting.length < 2) return undefined;
  for (const { name } of waiting) {
    run.tell({ event: 'host-waiting', host: name, reason: 'until all hosts have said how much they hold' });
  }
  const there = (name: string): number => (resumed === undefined ? 0 : recordedHost(resumed, name).host.capturedBytes);
  const hosts = await estimates(waiting, limits, async (host) => {
    // A key that is taken here is known by the host's turn: nobody else would tell of it.
    const note = (line: string): void => {
      run.note({ event: 'note', host: host.name, line });
      beforehand.told(host.name, line);
      notice(host, line);
    };
    const asked = estimate(host, signal, note).catch((error: unknown) => {
      if (error instanceof PasswordRefused) beforehand.refused(host.name, error);
      throw error;
    });
    return Math.max(0, (await asked) - there(host.name));
  });
  const plan = { hosts, free: await room.free() };
  run.note({ event: 'disk-planned', ...plan });
  return describeDiskPlan(plan);
}
