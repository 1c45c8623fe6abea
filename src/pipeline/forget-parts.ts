/** Gives back what a host of a run kept for going on, once its image names it. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError } from '../errors.ts';
import { lockRun } from '../fleet/run.ts';
import { holderOf, hostFolder, runFolder } from '../fleet/runs.ts';
import { namesIn } from '../oci/files.ts';
import { ImageStore } from '../oci/store.ts';
import type { RunRecord } from '../report/run-record.ts';

type Known = Pick<RunRecord, 'id'> & { readonly hosts: readonly Pick<RunRecord['hosts'][number], 'state'>[] };

/** The folder goes last: while it is there, so may be the rest. */
export async function forgetParts(root: string, id: string, index: number): Promise<void> {
  const store = await ImageStore.open(root);
  await store.letGo(holderOf(id, index));
  await rm(hostFolder(runFolder(root, id), index), { recursive: true, force: true });
}

/** The same for every host that is done: one that was killed right after it was has kept it. The run is the caller's. */
export async function forgetDoneParts(root: string, { id, hosts }: Known): Promise<void> {
  const kept = await namesIn(join(runFolder(root, id), 'hosts'));
  for (const [index, { state }] of hosts.entries()) {
    if (state === 'done' && kept.includes(String(index))) await forgetParts(root, id, index);
  }
}

/** The same of a run that is nobody's now; one that a process has is that process's. */
export async function forgetDonePartsOf(root: string, run: Known): Promise<void> {
  try {
    await using _ = await lockRun(runFolder(root, run.id), run.id, 0);
    await forgetDoneParts(root, run);
  } catch (error) {
    if (!(error instanceof P2cError) || error.code !== 'run.busy') throw error;
  }
}
