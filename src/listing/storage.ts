/**
 * Listings on disk, sorted, in bounded memory: entries are collected up to a limit, sorted, written as a run, and the
 * runs are merged. A listing is read as a stream of batches, as often as needed.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EntryDecoder, EntryEncoder } from './codec.ts';
import type { Entry } from './entry.ts';
import { mergeEntries } from './merge.ts';
import { sortKey } from './path.ts';

/** Entries sorted in memory at once: about 5 MB of objects. */
const RUN_ENTRIES = 8_000;
/** Runs merged at once. So many runs become one of the next level, so that millions of entries are rewritten twice, not often. */
const FAN_IN = 32;
const WRITE_BYTES = 256 * 1024;
/** Some hundred entries: many at once would outlive the young generation, and old garbage lies about for long. */
const READ_BYTES = 16 * 1024;

/** A listing that is complete, sorted by {@link sortKey}, one entry a path. */
export interface Listing {
  readonly file: string;
  readonly count: number;
  /** Entries in order, some hundreds at a time: a promise for each of five million would cost more than reading them. */
  batches(): AsyncGenerator<readonly Entry[]>;
}

/** Opens a listing written before. */
export function openListing(file: string, count: number): Listing {
  return { file, count, batches: () => readEntries(file) };
}

interface Run {
  readonly file: string;
  readonly level: number;
}

/** Takes entries in any order and ends as a sorted {@link Listing}. Its files lie in `directory`, which the caller owns. */
export class ListingWriter {
  readonly #directory: string;
  readonly #name: string;
  readonly #runEntries: number;
  #pending: Entry[] = [];
  #runs: Run[] = [];
  #written = 0;
  /** Several finds add at the same time: their runs are written and merged one after the other. */
  #writing: Promise<void> = Promise.resolve();

  constructor(directory: string, name: string, runEntries: number = RUN_ENTRIES) {
    this.#directory = directory;
    this.#name = name;
    this.#runEntries = runEntries;
  }

  async add(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.#pending.push(entry);
    if (this.#pending.length >= this.#runEntries) await this.#write();
  }

  /** Sorts what is left and merges the runs; of entries with the same path, the one added last stays. */
  async finish(): Promise<Listing> {
    await this.#write();
    const file = join(this.#directory, `${this.#name}.listing`);
    return openListing(file, await mergeRuns(file, this.#runs));
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writeRun());
    return this.#writing;
  }

  async #writeRun(): Promise<void> {
    if (this.#pending.length === 0) return;
    const keyed = this.#pending.map((entry) => ({ key: sortKey(entry.path), entry }));
    this.#pending = [];
    // Array.sort is stable: of two entries of one path, the later stays the later.
    keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
    const file = this.#nextRunFile();
    await writeEntries(file, batch(keyed.map((item) => item.entry)));
    this.#runs.push({ file, level: 0 });
    await this.#mergeFullLevels();
  }

  /** Neighbours only, so that of two entries with one path the later run's still wins. */
  async #mergeFullLevels(): Promise<void> {
    for (;;) {
      const level = this.#runs.at(-1)?.level ?? 0;
      const full = this.#runs.filter((run) => run.level === level);
      if (full.length < FAN_IN) return;
      const file = this.#nextRunFile();
      await mergeRuns(file, full);
      this.#runs = [...this.#runs.filter((run) => run.level !== level), { file, level: level + 1 }];
    }
  }

  #nextRunFile(): string {
    this.#written += 1;
    return join(this.#directory, `${this.#name}.run${this.#written}`);
  }
}

async function mergeRuns(file: string, runs: readonly Run[]): Promise<number> {
  const count = await writeEntries(file, mergeEntries(runs.map((run) => readEntries(run.file))));
  for (const run of runs) await rm(run.file);
  return count;
}

async function* batch(entries: Entry[]): AsyncGenerator<readonly Entry[]> {
  yield entries;
}

/** Writes entries that are in order already. @returns how many. */
async function writeEntries(file: string, batches: AsyncIterable<readonly Entry[]>): Promise<number> {
  const handle = await open(file, 'wx', 0o600);
  try {
    const encoder = new EntryEncoder();
    let count = 0;
    for await (const entries of batches) {
      for (const entry of entries) {
        encoder.add(entry);
        count += 1;
        if (encoder.length >= WRITE_BYTES) await handle.writeFile(encoder.take());
      }
    }
    await handle.writeFile(encoder.take());
    return count;
  } finally {
    await handle.close();
  }
}

/** Reads block: what p2c wrote moments ago lies in memory, and to wait for each read would take as long as decoding it. */
async function* readEntries(file: string): AsyncGenerator<readonly Entry[]> {
  const descriptor = openSync(file, 'r');
  try {
    const decoder = new EntryDecoder();
    const buffer = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const bytesRead = readSync(descriptor, buffer, 0, READ_BYTES, null);
      if (bytesRead === 0) break;
      const entries = decoder.push(buffer.subarray(0, bytesRead));
      if (entries.length > 0) yield entries;
    }
    decoder.end();
  } finally {
    closeSync(descriptor);
  }
}
