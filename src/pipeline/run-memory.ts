/** The memory of one host of a run: its events go into the run's journal, its finished parts lie in the run's folder. */
import { copyFile, open, rename, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run } from '../fleet/run.ts';
import { holderOf, hostFolder, isOver } from '../fleet/runs.ts';
import type { Part } from '../listing/part.ts';
import { makeFolder, storeError, syncFolder } from '../oci/files.ts';
import type { ImageStore } from '../oci/store.ts';
import type { LeaseRun } from '../profiles/lease-sight.ts';
import { type CapturedPart, type PartFiles, readStoredPart, storedPart } from './captured-part.ts';
import { bytesOf, type Circumstances, type HostHappening, type Memory, type PartMemory } from './memory.ts';
import type { Room } from './room.ts';

export interface HostOfRun {
  readonly name: string;
  /** Among the run's hosts. */
  readonly index: number;
  readonly started: Date;
  /** See {@link Memory}. */
  readonly container?: string | undefined;
}

export class RunMemory implements Memory {
  readonly started: Date;
  readonly container: string | undefined;
  readonly #run: Run;
  readonly #host: HostOfRun;
  readonly #room: Room;
  #planned: number | undefined;

  constructor(run: Run, host: HostOfRun, room: Room) {
    this.started = host.started;
    this.container = host.container;
    this.#run = run;
    this.#host = host;
    this.#room = room;
  }

  get run(): LeaseRun {
    const { id, folder } = this.#run;
    return { id, isOver: (other) => isOver(dirname(dirname(folder)), other) };
  }

  async room(_store: ImageStore, parts: readonly Part[], signal: AbortSignal, unpacked: boolean): Promise<void> {
    const { name, index } = this.#host;
    const folder = hostFolder(this.#run.folder, index);
    const there = await Promise.all(parts.map(({ key }) => exists(recordFile(folder, key))));
    const missing = parts.filter((_, at) => there[at] !== true);
    const tell = (reason: string): void => this.#run.note({ event: 'host-waiting', host: name, reason });
    // What was captured before may be unpacked or not: there is room for it in any case.
    const need = { host: name, bytes: bytesOf(missing) + (unpacked ? bytesOf(parts) : 0) };
    await this.#room.ask(this.#planned === undefined ? need : { ...need, planned: this.#planned }, tell, signal);
  }

  record(happening: HostHappening): void {
    // Not after the moment in the journal: of two hosts at most one goes before the other.
    if (happening.event === 'host-planned') this.#planned = Date.now();
    this.#run.note({ ...happening, host: this.#host.name });
  }

  parts(store: ImageStore, circumstances: Circumstances): PartMemory {
    return new RunParts(this.#run, this.#host, store, circumstances);
  }
}

/** A part's files are named by its key: what lies there is found by what the part is, wherever it is in the plan. */
class RunParts implements PartMemory {
  readonly #run: Run;
  readonly #host: HostOfRun;
  readonly #store: ImageStore;
  readonly #circumstances: Circumstances;
  readonly #folder: string;
  readonly #remembering: Promise<void>[] = [];

  constructor(run: Run, host: HostOfRun, store: ImageStore, circumstances: Circumstances) {
    this.#run = run;
    this.#host = host;
    this.#store = store;
    this.#circumstances = circumstances;
    this.#folder = hostFolder(run.folder, host.index);
  }

  async recall(part: Part, parts: number): Promise<CapturedPart | undefined> {
    const kept = await readStoredPart(this.#files(part));
    if (kept === undefined || !(await this.#store.stillHas(kept.layer.digest, kept.layer.size))) return undefined;
    const { digest, size } = kept.layer;
    this.#tell('part-kept', part, parts, digest, size);
    return kept;
  }

  remember(part: Part, parts: number, captured: CapturedPart): void {
    const remembering = this.#remember(part, parts, captured);
    remembering.catch(() => {});
    this.#remembering.push(remembering);
  }

  async settled(): Promise<void> {
    await Promise.all(this.#remembering);
  }

  /** What says that the part is there comes after the part: its blob, its logs, its record, the journal's line. */
  async #remember(part: Part, parts: number, captured: CapturedPart): Promise<void> {
    const { digest, size } = captured.layer;
    await this.#store.hold(holderOf(this.#run.id, this.#host.index), digest);
    const { record, log, complaints } = this.#files(part);
    try {
      await makeFolder(this.#folder, 0o700);
      await keep(captured.log.file, log);
      if (captured.log.complaints !== undefined) await keep(captured.log.complaints, complaints);
      const whole = `${record}.new`;
      await writeFile(whole, storedPart(captured, this.#circumstances), { mode: 0o600 });
      await synced(whole);
      await rename(whole, record);
      for (const folder of [this.#folder, dirname(this.#folder), this.#run.folder]) await syncFolder(folder);
    } catch (error) {
      throw storeError(error, record);
    }
    this.#tell('part-captured', part, parts, digest, size);
  }

  #tell(event: 'part-kept' | 'part-captured', part: Part, parts: number, digest: string, bytes: number): void {
    const host = this.#host.name;
    this.#run.note({ event, host, part: part.index, parts, key: part.key, digest, bytes });
  }

  #files({ key }: Part): PartFiles {
    const beside = (kind: string): string => join(this.#folder, `${key}.${kind}`);
    return { record: recordFile(this.#folder, key), log: beside('log'), complaints: beside('said') };
  }
}

function recordFile(folder: string, key: string): string {
  return join(folder, `${key}.json`);
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    () => true,
    () => false,
  );
}

async function keep(file: string, copy: string): Promise<void> {
  await copyFile(file, copy);
  await synced(copy);
}

async function synced(file: string): Promise<void> {
  const handle = await open(file, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
