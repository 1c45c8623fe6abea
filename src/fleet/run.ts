/** A run that is under way: its folder below the store, its lock, its journal, and who else is told what happens. */
import { dirname, join } from 'node:path';
import { P2cError } from '../errors.ts';
import { makeFolder, syncFolder } from '../oci/files.ts';
import { lock } from '../oci/lock.ts';
import { type Happening, type RunEvent, stamped } from '../report/events/schema.ts';
import { Journal } from './journal.ts';

/** The lock of a process that was just killed is free when its child has seen that it is gone. */
const LOCK_SECONDS = 5;

export type Listener = (event: RunEvent) => void;

interface Noting {
  /** Whom it is of; undefined for the batch. */
  readonly host: string | undefined;
  readonly done: Promise<void>;
}

export class Run implements AsyncDisposable {
  readonly id: string;
  readonly folder: string;
  readonly #journal: Journal;
  readonly #lock: AsyncDisposable;
  readonly #listeners: Listener[] = [];
  readonly #noting = new Set<Noting>();

  private constructor(id: string, folder: string, journal: Journal, held: AsyncDisposable) {
    this.id = id;
    this.folder = folder;
    this.#journal = journal;
    this.#lock = held;
  }

  /** @throws P2cError `run.busy` where another process has it. */
  static async open(folder: string, id: string): Promise<Run> {
    await makeFolder(dirname(folder), 0o700);
    await makeFolder(folder, 0o700);
    // A power failure must not take the names away by which the run is found.
    for (const above of [dirname(folder), dirname(dirname(folder))]) await syncFolder(above);
    const held = await lockRun(folder, id);
    try {
      return new Run(id, folder, await Journal.open(journalOf(folder), id), held);
    } catch (error) {
      await held[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Told of every event, those that are not kept too. */
  listen(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** Into the journal, and to the listeners; on the disk when it returns. */
  async record(happening: Happening): Promise<void> {
    for (const listener of this.#listeners) listener(stamped(happening, this.id));
    await this.#journal.append(happening);
  }

  /** As `record`, without waiting: a failure is thrown by `recorded`. */
  note(happening: Happening): void {
    const done = this.record(happening);
    const noting = { host: 'host' in happening ? happening.host : undefined, done };
    this.#noting.add(noting);
    done.then(
      () => this.#noting.delete(noting),
      () => {},
    );
  }

  /** To the listeners alone. */
  tell(happening: Happening): void {
    for (const listener of this.#listeners) listener(stamped(happening, this.id));
  }

  /**
   * Waits for what was noted: of one host, for its failure is no other's, or in all. Each failure is thrown once.
   * @throws P2cError `store.full`…
   */
  async recorded(host?: string): Promise<void> {
    const waited = [...this.#noting].filter((noting) => host === undefined || noting.host === host);
    const results = await Promise.allSettled(waited.map(({ done }) => done));
    for (const noting of waited) this.#noting.delete(noting);
    for (const result of results) if (result.status === 'rejected') throw result.reason;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([...this.#noting].map(({ done }) => done));
    await this.#journal[Symbol.asyncDispose]();
    await this.#lock[Symbol.asyncDispose]();
  }
}

export function journalOf(folder: string): string {
  return join(folder, 'journal.ndjson');
}

export function lockOf(folder: string): string {
  return join(folder, 'lock');
}

/** Held while somebody works on a run. @throws P2cError `run.busy`. */
export async function lockRun(folder: string, id: string, patience = LOCK_SECONDS): Promise<AsyncDisposable> {
  try {
    return await lock(lockOf(folder), patience);
  } catch (error) {
    if (!(error instanceof P2cError) || error.code !== 'store.busy') throw error;
    throw new P2cError(`the run ${id} is under way in another process`, {
      code: 'run.busy',
      hint: `wait for it; 'fuser ${lockOf(folder)}' tells which process it is`,
      cause: error,
    });
  }
}
