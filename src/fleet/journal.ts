/**
 * The journal of one run: its events, one JSON object a line, appended and on the disk before anybody relies on them. A
 * process that is killed, and a power failure, lose at most the line that was being written.
 */
import { type FileHandle, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { P2cError, systemCode } from '../errors.ts';
import { storeError, syncFolder } from '../oci/files.ts';
import { eventSchema, type Happening, type RunEvent, stamped } from '../report/events/schema.ts';

/** Of a journal that is longer, something else is wrong. */
const LARGEST = 2 * 1024 ** 3;

export class Journal implements AsyncDisposable {
  readonly file: string;
  readonly run: string;
  readonly #handle: FileHandle;
  /** Bytes up to the end of the last whole line. */
  #end: number;
  #torn = false;
  #waiting: string[] = [];
  #writing: Promise<void> | undefined;

  private constructor(file: string, run: string, handle: FileHandle, end: number) {
    this.file = file;
    this.run = run;
    this.#handle = handle;
    this.#end = end;
  }

  /** Opens it for appending, after its last whole line. @throws P2cError `store.full`, `store.denied`. */
  static async open(file: string, run: string): Promise<Journal> {
    try {
      const handle = await open(file, 'a+', 0o600);
      const text = await handle.readFile();
      const whole = text.lastIndexOf(0x0a) + 1;
      if (whole < text.length) await handle.truncate(whole);
      // Its lines are on the disk with each append; its name has to be there too.
      await syncFolder(dirname(file));
      return new Journal(file, run, handle, whole);
    } catch (error) {
      throw storeError(error, file);
    }
  }

  /**
   * On the disk when it returns. What comes while one write is under way is written by the next one together: a thousand
   * hosts do not wait for a thousand fsyncs.
   */
  async append(happening: Happening): Promise<RunEvent> {
    const event = stamped(happening, this.run);
    this.#waiting.push(`${JSON.stringify(event)}\n`);
    // The write under way may have been begun before this line came; how it ended is told to those whose lines it had.
    await this.#writing?.catch(() => {});
    this.#writing ??= this.#write();
    await this.#writing;
    return event;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing?.catch(() => {});
    await this.#handle.close();
  }

  async #write(): Promise<void> {
    const lines = Buffer.from(this.#waiting.join(''));
    this.#waiting = [];
    try {
      if (lines.length === 0) return;
      await this.#mend();
      this.#torn = true;
      await this.#handle.appendFile(lines);
      await this.#handle.datasync();
      this.#end += lines.length;
      this.#torn = false;
    } catch (error) {
      await this.#mend().catch(() => {});
      throw storeError(error, this.file);
    } finally {
      this.#writing = undefined;
    }
  }

  /** Takes away what a write that failed has left of its lines: they are told as not written, and the next would stick to them. */
  async #mend(): Promise<void> {
    if (!this.#torn) return;
    await this.#handle.truncate(this.#end);
    this.#torn = false;
  }
}

/**
 * The events of a journal. What is no whole line at its end was never relied on, nor is what is no whole line before a whole
 * one; events of kinds that this p2c does not know are passed over.
 * @throws P2cError `run.damaged` where a line in the middle is no event, `run.missing`.
 */
export async function readJournal(file: string): Promise<RunEvent[]> {
  const text = await readFile(file).catch((error: unknown) => {
    if (systemCode(error) !== 'ENOENT') throw storeError(error, file);
    throw new P2cError(`there is no journal ${file}`, { code: 'run.missing', hint: "'p2c runs ls' lists the runs" });
  });
  if (text.length > LARGEST) throw damaged(file, 'it is too long');
  const lines = text.toString('utf8').split('\n').slice(0, -1);
  return lines.flatMap((line, index) => {
    const read = eventOf(line) ?? eventAfterTorn(line);
    if (read === undefined) throw damaged(file, `line ${index + 1} is no event`);
    return read === 'unknown' ? [] : [read];
  });
}

/** @returns undefined where it is no event. */
function eventOf(line: string): RunEvent | 'unknown' | undefined {
  const read = parsed(line);
  const event = eventSchema.safeParse(read);
  if (event.success) return event.data;
  return typeof read === 'object' && read !== null && 'v' in read && 'event' in read ? 'unknown' : undefined;
}

/** As every line begins. Within an event's strings, the quotes would be escaped. */
const BEGINNING = '{"v":';

/** The event that was written right after a part of another, whose write failed on a full disk. */
function eventAfterTorn(line: string): RunEvent | 'unknown' | undefined {
  for (let at = line.indexOf(BEGINNING, 1); at > 0; at = line.indexOf(BEGINNING, at + 1)) {
    const event = eventOf(line.slice(at));
    if (event !== undefined) return event;
  }
  return undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function damaged(file: string, what: string): P2cError {
  return new P2cError(`the journal ${file} is damaged: ${what}`, {
    code: 'run.damaged',
    hint: "'p2c runs rm' removes the run; the images that it made stay",
  });
}
