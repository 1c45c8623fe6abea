/** Does the work of one host of a run: what happens is recorded, and what it kept for going on is given back at the end. */
import { errorRecord } from '../errors.ts';
import type { Run } from '../fleet/run.ts';
import { forgetParts } from './forget-parts.ts';
import { orInterruption } from './interruption.ts';
import type { Memory } from './memory.ts';
import { RecordingShow } from './recording-show.ts';
import type { Room } from './room.ts';
import { type HostOfRun, RunMemory } from './run-memory.ts';
import type { Show } from './stage.ts';

export interface HostWork<Result> {
  readonly host: HostOfRun;
  /** From 1. */
  readonly attempt: number;
  readonly show: Show;
  readonly work: (show: Show, memory: Memory) => Promise<Result>;
  readonly exitCode: (result: Result) => number;
  /** Of what fails because of its abortion, that is told. */
  readonly signal: AbortSignal;
}

export interface Place {
  /** Of the store. */
  readonly root: string;
  readonly room: Room;
}

/** @throws what the work throws, once it is recorded. */
export async function runHost<Result>(run: Run, { root, room }: Place, what: HostWork<Result>): Promise<Result> {
  const { host, attempt, show, work, exitCode, signal } = what;
  const { name } = host;
  const began = performance.now();
  const took = (): number => performance.now() - began;
  const memory = new RunMemory(run, host, room);
  await run.record({ event: 'host-started', host: name, attempt });
  const recording = new RecordingShow(
    show,
    (happening) => memory.record(happening),
    (happening) => run.tell({ ...happening, host: name }),
  );
  try {
    const result = await work(recording, memory);
    await run.recorded(name);
    await run.record({ event: 'host-done', host: name, exitCode: exitCode(result), milliseconds: took(), result });
    await forgetParts(root, run.id, host.index);
    return result;
  } catch (thrown) {
    const error = orInterruption(thrown, signal);
    const failed = { event: 'host-failed', host: name, milliseconds: took(), error: errorRecord(error) } as const;
    // What failed is told, also where the journal's disk is full because of it: that is then no failure of the batch as well.
    await run.recorded(name).catch(() => {});
    await run.record(failed).catch(() => {});
    throw error;
  } finally {
    room.giveBack(name);
  }
}
