/** Removes what nothing in a store needs any more. Others may be at work in it meanwhile: see `ImageStore.use`. */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import type { Collection, IdleBlob } from '../oci/collection.ts';
import type { ImageStore } from '../oci/store.ts';
import { listContainers } from './containers.ts';
import { damagedContainers } from './damaged.ts';
import { findProgram } from './host-program.ts';
import { HOST_ENVIRONMENT } from './isolation.ts';
import { storeLeftovers } from './leftovers.ts';
import { listSnapshots, type Snapshot, setAside } from './snapshot.ts';

export interface PruneOptions {
  /** Snapshots that only images need, too: their layers are unpacked again for the next container. */
  readonly all: boolean;
  /** Nothing is removed. */
  readonly dryRun: boolean;
}

/** What was removed, or would be. */
export interface Pruned {
  /** Unpacked layers; bytes as they lie on the disk. */
  readonly snapshots: readonly { readonly digest: string; readonly bytes: number }[];
  readonly blobs: readonly IdleBlob[];
  /** What processes that are gone had begun. */
  readonly leftovers: readonly { readonly path: string; readonly bytes: number }[];
}

/** @throws P2cError `store.invalid`: what is needed is unknown then, and all stays. */
export async function prune(store: ImageStore, options: PruneOptions): Promise<Pruned> {
  const { snapshots, blobs } = await store.locked(async (collection) => ({
    snapshots: await takeSnapshots(store.root, collection, options),
    blobs: await (options.dryRun ? collection.idle() : collection.removeIdle()),
  }));
  const removed = [];
  for (const { digest, folder } of snapshots) removed.push({ digest, bytes: await freed(folder, options) });
  const leftovers = [];
  for (const path of await storeLeftovers(store.root)) leftovers.push({ path, bytes: await freed(path, options) });
  return { snapshots: removed, blobs, leftovers };
}

/**
 * Those nobody needs, already out of everyone's way; their files are removed without the lock. Who is making a container has
 * noted its layers until its record is written: the notes were read before the records are.
 */
async function takeSnapshots(root: string, collection: Collection, { all, dryRun }: PruneOptions): Promise<Snapshot[]> {
  const needed = new Set<string>([...collection.spokenFor, ...(all ? [] : collection.named)]);
  for (const { definition } of await listContainers(root)) for (const digest of definition.layers) needed.add(digest);
  // It may be any that such a container is made of.
  if ((await damagedContainers(root)).some(({ layersUnknown }) => layersUnknown)) return [];
  const taken: Snapshot[] = [];
  for (const snapshot of await listSnapshots(root)) {
    if (needed.has(snapshot.digest)) continue;
    taken.push(dryRun ? snapshot : { ...snapshot, folder: await setAside(snapshot) });
  }
  return taken;
}

/** @returns bytes on the disk, of which files with several names are counted once. */
async function freed(path: string, { dryRun }: PruneOptions): Promise<number> {
  const bytes = await diskUsage(path);
  if (!dryRun) await rm(path, { recursive: true, force: true });
  return bytes;
}

/** What vanishes meanwhile, for others remove leftovers too, counts for nothing: du then says so and adds up the rest. */
async function diskUsage(path: string): Promise<number> {
  const du = findProgram('du');
  return new Promise((resolve) => {
    execFile(du, ['-s', '-B1', '--', path], { env: HOST_ENVIRONMENT, cwd: '/' }, (_, stdout) => {
      resolve(Number.parseInt(stdout, 10) || 0);
    });
  });
}
