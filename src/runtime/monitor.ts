/**
 * The monitor: a process of p2c's own that looks after a container. Every container has one, those in the foreground too:
 * a p2c that is killed, or a terminal that is closed, is not the container's end.
 */

import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { ExitCode, errorRecord, P2cError } from '../errors.ts';
import { ONCE } from '../once.ts';
import { AttachServer } from './attach/server.ts';
import { claim, giveBack } from './claim.ts';
import { type Container, containerFolder, readContainer } from './container.ts';
import { takeMonitor } from './monitor-process.ts';
import { storeKey } from './network/run-folder.ts';
import { supervise } from './supervise.ts';

/** What a monitor is told first: whose it is. */
const ownerSchema = z.object({ root: z.string(), id: z.string() });

const wordSchema = z.union([
  z.object({ listening: z.literal(true) }),
  z.object({ started: z.literal(true) }),
  z.object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      hint: z.string().optional(),
      causes: z.array(z.string()),
      exitCode: z.enum(ExitCode),
    }),
  }),
]);
type Word = z.output<typeof wordSchema>;

/** A monitor says short lines; more is none. */
const LONGEST_WORD = 64 * 1024;
const START = 'start';

/** Whoever starts a container: the monitor listens already, so that one can attach before anything is said. */
export class Monitor {
  readonly #process: ChildProcess;
  readonly #words: AsyncIterator<Word>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#words = wordsOf(process);
  }

  /** @throws P2cError `container.running` (usage) where the container has one, `monitor.ended`. */
  static async open(root: string, { definition }: Container): Promise<Monitor> {
    const monitor = new Monitor(takeMonitor());
    monitor.#tell(JSON.stringify({ root, id: definition.id }));
    await monitor.#expect('listening');
    return monitor;
  }

  /** Resolves once the container runs. @throws P2cError what the monitor met, where it could not be started. */
  async start(): Promise<void> {
    this.#tell(START);
    await this.#expect('started');
  }

  #tell(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  /** Lets it go on alone: this process may end. */
  leave(): void {
    this.#process.unref();
    this.#process.stdin?.destroy();
    this.#process.stdout?.destroy();
  }

  async #expect(what: 'listening' | 'started'): Promise<void> {
    const { value, done } = await this.#words.next();
    if (done !== true && what in value) return;
    this.leave();
    if (done !== true && 'error' in value) {
      const { message, causes, hint, ...details } = value.error;
      const cause = causes[0] === undefined ? undefined : new Error(causes[0]);
      throw new P2cError(message, { ...details, ...(hint === undefined ? {} : { hint }), cause });
    }
    throw new P2cError('the monitor of the container ended before it ran', { code: 'monitor.ended' });
  }
}

/** Starts a container in the background and returns once it runs. @throws P2cError as `Monitor` does. */
export async function startMonitored(root: string, container: Container): Promise<void> {
  const monitor = await Monitor.open(root, container);
  try {
    await monitor.start();
  } finally {
    monitor.leave();
  }
}

/** What a monitor is called in ps(1). @param id a container's; empty for what all monitors of the store begin with. */
export function monitorTitle(root: string, id: string): string {
  return `p2c monitor ${storeKey(root)}/${id}`;
}

/** The monitor's side: the verb's whole work. */
export async function monitorContainer(): Promise<void> {
  // Whoever started it may be gone by now.
  process.stdout.removeAllListeners('error').on('error', () => {});
  const tell = (word: Word): void => {
    process.stdout.write(`${JSON.stringify(word)}\n`);
  };
  const told = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  const owner = await told.next();
  if (owner.done === true) return;
  let started = false;
  try {
    const { root, id } = ownerSchema.parse(JSON.parse(owner.value), ONCE);
    process.title = monitorTitle(root, id);
    const folder = containerFolder(root, id);
    putErrorsInto(join(folder, 'monitor.err'));
    const container = await readContainer(folder);
    const before = await claim(container);
    await using attach = await AttachServer.open(container.folder);
    tell({ listening: true });
    const { value } = await told.next();
    process.stdin.destroy();
    if (value !== START) return await giveBack(container, before);
    await supervise(root, container, attach, () => {
      if (!started) tell({ started: true });
      started = true;
    });
  } catch (error) {
    if (started) throw error;
    tell({ error: { ...errorRecord(error), exitCode: error instanceof P2cError ? error.exitCode : ExitCode.failed } });
  }
}

/** Standard error is what is opened next: the lowest number that is free (open(2)). */
function putErrorsInto(path: string): void {
  closeSync(2);
  openSync(path, 'w', 0o600);
}

async function* wordsOf(child: ChildProcess): AsyncGenerator<Word> {
  const lines = createInterface({ input: bounded(child.stdout ?? Readable.from([])) })[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) return;
    try {
      yield wordSchema.parse(JSON.parse(value), ONCE);
    } catch (cause) {
      throw new P2cError('the monitor of the container ended before it ran', { code: 'monitor.ended', cause });
    }
  }
}

function bounded(stream: Readable): Readable {
  let length = 0;
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > LONGEST_WORD) stream.destroy();
  });
  return stream;
}
