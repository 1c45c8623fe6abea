/**
 * The monitor: a process of p2c's own that looks after a container. Every container has one, those in the foreground too:
 * a p2c that is killed, or a terminal that is closed, is not the container's end.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import * as z from 'zod';
import { ExitCode, errorRecord, P2cError } from '../errors.ts';
import { AttachServer } from './attach/server.ts';
import { claim, giveBack } from './claim.ts';
import { type Container, containerFolder, readContainer } from './container.ts';
import { closeInheritedFiles } from './engines/inherited-files.ts';
import { storeKey } from './network/run-folder.ts';
import { supervise } from './supervise.ts';

/** The hidden verb that this file's two halves speak through. */
export const MONITOR_VERB = '__monitor';

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
const START = 'start\n';

/** Whoever starts a container: the monitor listens already, so that one can attach before anything is said. */
export class Monitor {
  readonly #process: ChildProcess;
  readonly #words: AsyncIterator<Word>;

  private constructor(process: ChildProcess) {
    this.#process = process;
    this.#words = wordsOf(process);
  }

  /** @throws P2cError `container.running` (usage) where the container has one, `monitor.ended`. */
  static async open(root: string, { folder, definition }: Container): Promise<Monitor> {
    closeInheritedFiles();
    const errors = openSync(join(folder, 'monitor.err'), 'w', 0o600);
    const words = [...process.execArgv, process.argv[1] ?? '', MONITOR_VERB, root, definition.id];
    const child = spawn(process.execPath, words, {
      // What Node was told to import may be meant from here.
      cwd: process.execArgv.length > 0 ? process.cwd() : '/',
      detached: true,
      stdio: ['pipe', 'pipe', errors],
    });
    closeSync(errors);
    child.stdin?.on('error', () => {});
    const monitor = new Monitor(child);
    await monitor.#expect('listening');
    return monitor;
  }

  /** Resolves once the container runs. @throws P2cError what the monitor met, where it could not be started. */
  async start(): Promise<void> {
    this.#process.stdin?.write(START);
    await this.#expect('started');
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
export async function monitorContainer(root: string, id: string): Promise<void> {
  process.title = monitorTitle(root, id);
  // Whoever started it may be gone by now.
  process.stdout.removeAllListeners('error').on('error', () => {});
  const tell = (word: Word): void => {
    process.stdout.write(`${JSON.stringify(word)}\n`);
  };
  let started = false;
  try {
    const container = await readContainer(containerFolder(root, id));
    const before = await claim(container);
    await using attach = await AttachServer.open(container.folder);
    tell({ listening: true });
    if (!(await isToldToStart())) return await giveBack(container, before);
    await supervise(root, container, attach, () => {
      if (!started) tell({ started: true });
      started = true;
    });
  } catch (error) {
    if (started) throw error;
    tell({ error: { ...errorRecord(error), exitCode: error instanceof P2cError ? error.exitCode : ExitCode.failed } });
  }
}

/** @returns false where whoever was to say so went away. */
async function isToldToStart(): Promise<boolean> {
  for await (const chunk of process.stdin) {
    if (String(chunk) === START) break;
  }
  const told = !process.stdin.readableEnded;
  process.stdin.destroy();
  return told;
}

async function* wordsOf(child: ChildProcess): AsyncGenerator<Word> {
  const failed = new Promise<never>((_, reject) => child.once('error', reject));
  failed.catch(() => {});
  const lines = createInterface({ input: bounded(child.stdout ?? Readable.from([])) })[Symbol.asyncIterator]();
  for (;;) {
    const { value, done } = await Promise.race([lines.next(), failed]);
    if (done === true) return;
    try {
      yield wordSchema.parse(JSON.parse(value));
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
