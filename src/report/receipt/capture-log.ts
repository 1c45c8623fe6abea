/**
 * What went into one layer, and what was asked for and did not, path by path, in path order: written while it streams, read
 * when the receipt is made.
 */
import { type EntryType, isEntryType } from '../../listing/entry.ts';
import type { ByteString } from '../../printable.ts';
import { RecordReader, RecordWriter } from './record-file.ts';

export interface Captured {
  readonly path: ByteString;
  /** Undefined for a further name of a file: that has the type of the first. */
  readonly type: EntryType | undefined;
  /** `sha256:…` of a regular file's content. */
  readonly digest: string | undefined;
  readonly hardLink: ByteString | undefined;
  readonly fixes: readonly string[];
  /** Where it begins in its layer, in bytes. */
  readonly offset: number;
}

/** A path that this layer was to hold, and lacks. */
export interface Lost {
  readonly path: ByteString;
  /** What was wrong with it, in the filter's words. */
  readonly lost: string;
}

type Logged = Captured | Lost;

const FIELDS = 6;
/** In the place of a type. */
const LOST = 'lost';

export class CaptureLogWriter {
  readonly #records: RecordWriter;

  constructor(file: string) {
    this.#records = new RecordWriter(file);
  }

  get file(): string {
    return this.#records.file;
  }

  add({ path, type, digest, hardLink, fixes, offset }: Captured): void {
    this.#records.add(path, type ?? '', digest ?? '', hardLink ?? '', fixes.join(','), String(offset));
  }

  lose({ path, lost }: Lost): void {
    this.#records.add(path, LOST, '', '', lost, '');
  }

  close(): void {
    this.#records.close();
  }
}

/** Stands at one record after the other. */
export class CaptureLogReader {
  readonly #records: RecordReader;
  #current: Logged | undefined;

  constructor(file: string) {
    this.#records = new RecordReader(file, FIELDS);
    this.next();
  }

  /** Undefined at the end. */
  get current(): Logged | undefined {
    return this.#current;
  }

  next(): void {
    const fields = this.#records.next();
    this.#current = fields === undefined ? undefined : decoded(fields);
  }

  close(): void {
    this.#records.close();
  }
}

function decoded(fields: readonly string[]): Logged {
  const [name = '', type = '', digest = '', hardLink = '', words = '', offset = ''] = fields;
  const path = name as ByteString;
  if (type === LOST) return { path, lost: words };
  return {
    path,
    type: isEntryType(type) ? type : undefined,
    digest: digest === '' ? undefined : digest,
    hardLink: hardLink === '' ? undefined : (hardLink as ByteString),
    fixes: words === '' ? [] : words.split(','),
    offset: Number(offset),
  };
}
