/**
 * What a source's tar said of the paths of one layer that it could not read, or not wholly: written while it streams, read
 * when the receipt is made. A file, for a disk that dies may give a line for each of a million paths, and none may be lost:
 * zeros would be taken for content.
 */
import { P2cError } from '../../errors.ts';
import { comparePaths } from '../../listing/path.ts';
import type { ByteString } from '../../printable.ts';
import { type Complaint, isReadInPart } from '../../tar/messages.ts';
import { RecordReader, RecordWriter } from './record-file.ts';

const FIELDS = 2;
/** Lines that are put in order in memory. */
const MOST_SORTED = 100_000;

/** There is no file where nothing was said. */
export class ComplaintLogWriter {
  readonly #file: string;
  #records: RecordWriter | undefined;
  #last: ByteString | undefined;
  #count = 0;
  #inOrder = true;
  #failure: { readonly error: unknown } | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  /** Throws nothing: a line of standard error comes when nobody waits for one. `end` tells what failed. */
  add({ path, reason }: Complaint): void {
    if (this.#failure !== undefined) return;
    try {
      this.#records ??= new RecordWriter(this.#file);
      this.#records.add(path, reason);
    } catch (error) {
      this.#failure = { error };
    }
    this.#count += 1;
    if (this.#last !== undefined && comparePaths(this.#last, path) > 0) this.#inOrder = false;
    this.#last = path;
  }

  /** @returns the file, in path order. @throws P2cError `store.full`, `tar.messages`. */
  end(): string | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    if (this.#records === undefined) return undefined;
    this.close();
    if (!this.#inOrder) this.#sort();
    return this.#file;
  }

  close(): void {
    this.#records?.close();
  }

  /** GNU tar speaks of the paths as it comes to them, which is in order: another one's words are seldom many. */
  #sort(): void {
    if (this.#count > MOST_SORTED) {
      const most = MOST_SORTED.toLocaleString('en-US');
      throw new P2cError(`tar on the source had trouble with more than ${most} paths of one part, in no order`, {
        code: 'tar.messages',
        hint: 'the disk may be dying: leave out its mount with --exclude, or mend it and run p2c again',
      });
    }
    const reader = new RecordReader(this.#file, FIELDS);
    const all: Complaint[] = [];
    for (let fields = reader.next(); fields !== undefined; fields = reader.next()) all.push(decoded(fields));
    reader.close();
    all.sort((a, b) => comparePaths(a.path, b.path));
    const sorted = new RecordWriter(this.#file);
    for (const { path, reason } of all) sorted.add(path, reason);
    sorted.close();
  }
}

/** Paths are asked for in their order; the same one as often as one likes. */
export class ComplaintLogReader {
  readonly #records: RecordReader;
  #next: Complaint | undefined;
  #path: ByteString | undefined;
  #reason: string | undefined;

  constructor(file: string) {
    this.#records = new RecordReader(file, FIELDS);
    this.#advance();
  }

  /** The last that was said of the path; what stands for content that is missing goes before all else. */
  of(path: ByteString): string | undefined {
    if (path === this.#path) return this.#reason;
    this.#path = path;
    this.#reason = undefined;
    for (let next = this.#next; next !== undefined; next = this.#next) {
      const order = comparePaths(next.path, path);
      if (order > 0) break;
      const outweighed = this.#reason !== undefined && isReadInPart(this.#reason) && !isReadInPart(next.reason);
      if (order === 0 && !outweighed) this.#reason = next.reason;
      this.#advance();
    }
    return this.#reason;
  }

  close(): void {
    this.#records.close();
  }

  #advance(): void {
    const fields = this.#records.next();
    this.#next = fields === undefined ? undefined : decoded(fields);
  }
}

function decoded([path = '', reason = '']: readonly string[]): Complaint {
  return { path: path as ByteString, reason };
}
