/** What went into one layer, path by path, in path order: written while it streams, read when the receipt is made. */
import type { ByteString } from '../../printable.ts';
import { RecordReader, RecordWriter } from './record-file.ts';

export interface Captured {
  readonly path: ByteString;
  /** `sha256:…` of a regular file's content. */
  readonly digest: string | undefined;
  readonly hardLink: ByteString | undefined;
  readonly fixes: readonly string[];
  /** Where it begins in its layer, in bytes. */
  readonly offset: number;
}

const FIELDS = 5;

export class CaptureLogWriter {
  readonly #records: RecordWriter;

  constructor(file: string) {
    this.#records = new RecordWriter(file);
  }

  get file(): string {
    return this.#records.file;
  }

  add({ path, digest, hardLink, fixes, offset }: Captured): void {
    this.#records.add(path, digest ?? '', hardLink ?? '', fixes.join(','), String(offset));
  }

  close(): void {
    this.#records.close();
  }
}

/** Stands at one record after the other. */
export class CaptureLogReader {
  readonly #records: RecordReader;
  #current: Captured | undefined;

  constructor(file: string) {
    this.#records = new RecordReader(file, FIELDS);
    this.next();
  }

  /** Undefined at the end. */
  get current(): Captured | undefined {
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

function decoded([path = '', digest = '', hardLink = '', fixes = '', offset = '']: readonly string[]): Captured {
  return {
    path: path as ByteString,
    digest: digest === '' ? undefined : digest,
    hardLink: hardLink === '' ? undefined : (hardLink as ByteString),
    fixes: fixes === '' ? [] : fixes.split(','),
    offset: Number(offset),
  };
}
