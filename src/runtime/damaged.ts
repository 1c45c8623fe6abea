/** Containers whose records are damaged, by a power cut or a failing disk: known by their folders alone, and no others' trouble. */
import { stat } from 'node:fs/promises';
import { messageOf, P2cError, systemCode } from '../errors.ts';
import { containerFolder, readBundle, readContainer, readState } from './container.ts';
import { containerIds } from './containers.ts';
import { nameOf } from './names.ts';
import { readNetworkRecord } from './network/record.ts';
import { notedVolumes } from './volumes/volumes.ts';

export interface DamagedContainer {
  readonly id: string;
  /** Undefined where no name was taken for it. */
  readonly name: string | undefined;
  /** ISO 8601: when anything was written to its folder last. */
  readonly changed: string;
  /** Whether it is unknown of which layers it is made. */
  readonly layersUnknown: boolean;
  readonly error: string;
}

export async function damagedContainers(root: string): Promise<DamagedContainer[]> {
  const found: DamagedContainer[] = [];
  for (const id of await containerIds(root)) {
    const folder = containerFolder(root, id);
    const definition = await faultOf(readContainer(folder));
    const error = definition ?? (await faultOf(...recordsOf(folder)));
    if (error === undefined) continue;
    const changed = await stat(folder).catch(() => undefined);
    if (changed === undefined) continue;
    const name = await nameOf(root, id);
    found.push({ id, name, changed: changed.mtime.toISOString(), layersUnknown: definition !== undefined, error });
  }
  return found;
}

function recordsOf(folder: string): Promise<unknown>[] {
  return [readBundle(folder), readState(folder), readNetworkRecord(folder), notedVolumes(folder)];
}

/** What is missing is of one that is being made or removed. */
async function faultOf(...records: readonly Promise<unknown>[]): Promise<string | undefined> {
  for (const result of await Promise.allSettled(records)) {
    if (result.status === 'fulfilled' || systemCode(result.reason) === 'ENOENT') continue;
    if (result.reason instanceof P2cError && result.reason.code === 'container.damaged')
      return messageOf(result.reason);
    throw result.reason;
  }
  return undefined;
}
