/** A container's log: one JSON object a line, `{"time","stream","text"}`; a text without a line feed goes on in the next. */
import { once } from 'node:events';
import { createReadStream, createWriteStream, type WriteStream } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import { z } from 'zod';
import { systemCode } from '../errors.ts';

export type LogStream = 'stdout' | 'stderr';

const recordSchema = z.object({ time: z.string(), stream: z.enum(['stdout', 'stderr']), text: z.string() });
export type LogRecord = z.output<typeof recordSchema>;

/** A line is cut here, so that what never ends a line does not fill the memory. */
const LONGEST_TEXT = 16 * 1024;
const POLL = 100;

function logFile(folder: string): string {
  return join(folder, 'log');
}

/** Writes what a container says; a log that cannot be written (a full disk) stops nothing but itself. */
export class LogWriter implements AsyncDisposable {
  readonly #file: WriteStream;
  #failed = false;

  constructor(folder: string) {
    this.#file = createWriteStream(logFile(folder), { flags: 'a', mode: 0o600 });
    this.#file.on('error', () => {
      this.#failed = true;
    });
  }

  /** @returns a function to feed with the stream's bytes; fed nothing, it flushes. Resolves when more may come. */
  stream(stream: LogStream): (chunk?: Buffer) => Promise<void> {
    const decoder = new StringDecoder('utf8');
    let rest = '';
    return async (chunk) => {
      rest += chunk === undefined ? decoder.end() : decoder.write(chunk);
      const texts: string[] = [];
      for (let end = cutAt(rest); end > 0; end = cutAt(rest)) {
        texts.push(rest.slice(0, end));
        rest = rest.slice(end);
      }
      if (chunk === undefined && rest !== '') texts.push(rest);
      const time = new Date().toISOString();
      await this.#write(texts.map((text) => `${JSON.stringify({ time, stream, text })}\n`).join(''));
    };
  }

  async #write(lines: string): Promise<void> {
    if (lines === '' || this.#failed || this.#file.write(lines)) return;
    await once(this.#file, 'drain').catch(() => {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#file.once('close', resolve);
      this.#file.end();
      if (this.#file.closed) resolve();
    });
  }
}

/** Behind the first line feed, or where a line gets too long; 0 where more must come. */
function cutAt(text: string): number {
  const end = text.indexOf('\n') + 1;
  if (end > 0 && end <= LONGEST_TEXT) return end;
  return end > 0 || text.length >= LONGEST_TEXT ? LONGEST_TEXT : 0;
}

/**
 * Reads a log from its beginning.
 * @param goesOn asked at the end of the file: whether more may come, and it is worth to wait.
 */
export async function* readLog(folder: string, goesOn: () => Promise<boolean>): AsyncGenerator<LogRecord> {
  let at = 0;
  for (;;) {
    const more = await goesOn();
    const size = await sizeOf(logFile(folder));
    if (size > at) {
      const end = await lastLineEnd(logFile(folder), at, size);
      yield* recordsBetween(logFile(folder), at, end);
      at = end;
    }
    // Asked before the file was read: what came after the answer "no" is nothing.
    if (!more) return;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

async function* recordsBetween(path: string, start: number, end: number): AsyncGenerator<LogRecord> {
  if (end <= start) return;
  for await (const line of createInterface({ input: createReadStream(path, { start, end: end - 1 }) })) {
    const record = parseRecord(line);
    if (record !== undefined) yield record;
  }
}

/** A line that a killed monitor or a full disk cut short is left out. */
function parseRecord(line: string): LogRecord | undefined {
  try {
    return recordSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

/** The monitor may be in the middle of a line. @returns where the last whole one ends, `start` if there is none. */
async function lastLineEnd(path: string, start: number, size: number): Promise<number> {
  await using file = await open(path, 'r');
  const block = Buffer.alloc(64 * 1024);
  for (let end = size; end > start; end -= block.length) {
    const from = Math.max(start, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - from, from);
    const found = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (found >= 0) return from + found + 1;
  }
  return start;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return 0;
    throw error;
  }
}
