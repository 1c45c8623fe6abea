/** What other batches on the same store are about to write, as their journals tell it. */
import { stat } from 'node:fs/promises';
import { journalOf } from '../fleet/run.ts';
import { isUnderWay, readRun, runFolder, runIds } from '../fleet/runs.ts';
import type { HostRecord } from '../report/run-record.ts';

/** A run under way writes an event with each part of a gigabyte: one that is silent for longer holds up nobody. */
const SILENT_MS = 86_400_000;

/**
 * Bytes that hosts of other runs under way have planned and not captured yet: of those alone that planned before, so that no
 * two wait for each other.
 * @param own the run that asks. @param before milliseconds since 1970.
 */
export async function promisedElsewhere(root: string, own: string, before: number): Promise<number> {
  let sum = 0;
  for (const id of await runIds(root)) {
    if (id === own || !(await isRecent(root, id)) || !(await isUnderWay(root, id))) continue;
    // A journal that cannot be read is told of where the run itself is asked for.
    const run = await readRun(root, id).catch(() => undefined);
    for (const host of run?.hosts ?? []) sum += outstanding(host, before);
  }
  return sum;
}

async function isRecent(root: string, id: string): Promise<boolean> {
  const journal = await stat(journalOf(runFolder(root, id))).catch(() => undefined);
  return journal !== undefined && Date.now() - journal.mtimeMs < SILENT_MS;
}

function outstanding({ state, planned, plannedAt, capturedBytes, keptBytes }: HostRecord, before: number): number {
  if (state !== 'running' || planned === undefined || plannedAt === undefined || plannedAt >= before) return 0;
  return Math.max(0, planned.tarBytes - capturedBytes - keptBytes);
}
