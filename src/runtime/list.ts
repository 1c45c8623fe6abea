/** The containers of a store, as people and programs see them. */
import { systemCode } from '../errors.ts';
import { readBundle, readState, type State } from './container.ts';
import { listContainers } from './containers.ts';
import { type DamagedContainer, damagedContainers } from './damaged.ts';
import { shownCommand } from './init/booted.ts';
import { type NetworkSettings, networkSettings } from './network/settings.ts';

export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  readonly image: string;
  readonly imageDigest: string;
  readonly command: readonly string[];
  /** ISO 8601. */
  readonly created: string;
  readonly started: string | undefined;
  readonly finished: string | undefined;
  /** `damaged`: its records cannot be read; `error` says which. */
  readonly status: State['status'] | 'damaged';
  /** Undefined while it runs, and where its monitor was killed. */
  readonly exitCode: number | undefined;
  /** Of PID 1 on this machine, while it runs. */
  readonly pid: number | undefined;
  /** Why it could not be started. */
  readonly error: string | undefined;
  /** Those it is on, while it runs. */
  readonly networks: NetworkSettings['networks'];
  readonly ports: NetworkSettings['ports'];
}

/** The newest first; those that are removed meanwhile are left out. */
export async function containerRecords(root: string): Promise<ContainerRecord[]> {
  const records: ContainerRecord[] = [];
  const damaged = await damagedContainers(root);
  const ids = new Set(damaged.map(({ id }) => id));
  for (const { folder, definition } of await listContainers(root)) {
    if (ids.has(definition.id)) continue;
    try {
      const { process } = await readBundle(folder);
      const state = await readState(folder);
      const { id, name, image, created } = definition;
      records.push({
        id,
        name,
        image: image.name,
        imageDigest: image.digest,
        command: shownCommand(process.args),
        created,
        started: state.started,
        finished: state.finished,
        status: state.status,
        exitCode: state.exitCode,
        pid: state.status === 'running' ? state.init?.pid : undefined,
        error: state.error,
        ...(await networkSettings(folder)),
      });
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
    }
  }
  return [...damaged.map(damagedRecord), ...records];
}

function damagedRecord({ id, name, changed, error }: DamagedContainer): ContainerRecord {
  return {
    ...{ id, name: name ?? id.slice(0, 12), image: '', imageDigest: '', command: [], created: changed },
    ...{ started: undefined, finished: undefined, status: 'damaged', exitCode: undefined, pid: undefined, error },
    ...{ networks: [], ports: [] },
  };
}
