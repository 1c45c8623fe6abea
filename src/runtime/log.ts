/** A container's log: one JSON object a line, `{"time","stream","text"}`; a text without a line feed goes on in the next. */
import { type FileHandle, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StringDecoder } from 'node:string_decoder';
import * as z from 'zod';
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

/** Where it was written to before. */
function earlier(path: string): string {
  return `${path}.1`;
}

/**
 * Writes what a container says; a log that cannot be written (a full disk) loses lines and stops nothing. One that has
 * its size goes on in a new file, and the file before the last is gone.
 */
export class LogWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #maxSize: number;
  #file: FileHandle | undefined;
  #size = 0;
  #last: Promise<void> = Promise.resolve();

  /** @param maxSize bytes; a little more may be written, for lines stay whole. */
  constructor(folder: string, maxSize = Number.POSITIVE_INFINITY) {
    this.#path = logFile(folder);
    this.#maxSize = maxSize;
  }

  /** Makes the file: whoever follows the log has it open then, also where the container removes itself soon. */
  async begin(): Promise<void> {
    await this.#write('');
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
      if (texts.length === 0) return;
      const time = new Date().toISOString();
      const lines = texts.map((text) => `${JSON.stringify({ time, stream, text })}\n`);
      // One that has a size is looked at after each line.
      if (Number.isFinite(this.#maxSize)) for (const line of lines) await this.#write(line);
      else await this.#write(lines.join(''));
    };
  }

  /** One after the other, whichever stream they come from. */
  #write(lines: string): Promise<void> {
    this.#last = this.#last.then(() => this.#append(lines)).catch(() => {});
    return this.#last;
  }

  async #append(lines: string): Promise<void> {
    if (this.#file !== undefined && this.#size >= this.#maxSize) {
      await this.#file.close();
      this.#file = undefined;
      await rename(this.#path, earlier(this.#path));
    }
    if (this.#file === undefined) {
      this.#file = await open(this.#path, 'a', 0o600);
      this.#size = (await this.#file.stat()).size;
    }
    this.#size += Buffer.byteLength(lines);
    await this.#file.writeFile(lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#last;
    await this.#file?.close();
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
  const path = logFile(folder);
  let file = await openOrMissing(path);
  const before = await openOrMissing(earlier(path));
  try {
    // Where it went on in a new file just now, both are one.
    if (before !== undefined && !(await isSame(before, file))) yield* recordsBetween(before, 0);
  } finally {
    await before?.close();
  }
  let at = 0;
  try {
    for (;;) {
      const more = await goesOn();
      file ??= await openOrMissing(path);
      if (file !== undefined) {
        const wentOn = await isReplaced(path, file);
        const end = await lastLineEnd(file, at, (await file.stat()).size);
        yield* recordsBetween(file, at, end);
        at = end;
        if (wentOn) {
          await file.close();
          file = undefined;
          at = 0;
          continue;
        }
      }
      // Asked before the file was read: what came after the answer "no" is nothing.
      if (!more) return;
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  } finally {
    await file?.close();
  }
}

async function* recordsBetween(file: FileHandle, start: number, end?: number): AsyncGenerator<LogRecord> {
  const length = (end ?? (await file.stat()).size) - start;
  if (length <= 0) return;
  const input = file.createReadStream({ start, end: start + length - 1, autoClose: false });
  for await (const line of createInterface({ input })) {
    const record = parseRecord(line);
    if (record !== undefined) yield record;
  }
}

async function openOrMissing(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function isSame(one: FileHandle, other: FileHandle | undefined): Promise<boolean> {
  return other !== undefined && (await one.stat()).ino === (await other.stat()).ino;
}

/** Whether the log went on in a new file: nothing more is written to this one then. */
async function isReplaced(path: string, file: FileHandle): Promise<boolean> {
  const now = await openOrMissing(path);
  try {
    return now !== undefined && !(await isSame(now, file));
  } finally {
    await now?.close();
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
async function lastLineEnd(file: FileHandle, start: number, size: number): Promise<number> {
  const block = Buffer.alloc(64 * 1024);
  for (let end = size; end > start; end -= block.length) {
    const from = Math.max(start, end - block.length);
    const { bytesRead } = await file.read(block, 0, end - from, from);
    const found = block.subarray(0, bytesRead).lastIndexOf(0x0a);
    if (found >= 0) return from + found + 1;
  }
  return start;
}
