/** A file of records, each of so many fields of bytes that hold no NUL: written while a layer streams, read one by one. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { storeError } from '../../oci/files.ts';

/** Little, so that what is made of one is gone soon: what lives longer costs the garbage collector, and memory. */
const CHUNK = 32 * 1024;

/** Writes block: the file is local, and they come between two chunks of a stream. */
export class RecordWriter {
  readonly file: string;
  readonly #fd: number;
  #pending: string[] = [];
  #length = 0;
  #open = true;

  constructor(file: string) {
    this.file = file;
    // A part that is begun anew begins its files anew.
    this.#fd = openSync(file, 'w', 0o600);
  }

  add(...fields: readonly string[]): void {
    const text = `${fields.join('\0')}\0`;
    this.#pending.push(text);
    this.#length += text.length;
    if (this.#length >= CHUNK) this.#write();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    try {
      this.#write();
    } finally {
      closeSync(this.#fd);
    }
  }

  #write(): void {
    let bytes = Buffer.from(this.#pending.join(''), 'latin1');
    this.#pending = [];
    this.#length = 0;
    try {
      while (bytes.length > 0) bytes = bytes.subarray(writeSync(this.#fd, bytes));
    } catch (error) {
      throw storeError(error, this.file);
    }
  }
}

/** Opened only while it is read: those of many layers lie side by side. */
export class RecordReader {
  readonly #file: string;
  readonly #count: number;
  #fd: number | undefined;
  #fields: string[] = [];
  #at = 0;
  #rest = '';

  /** @param count fields of a record. */
  constructor(file: string, count: number) {
    this.#file = file;
    this.#count = count;
  }

  /** Undefined at the end. */
  next(): readonly string[] | undefined {
    while (this.#fields.length - this.#at < this.#count) if (!this.#fill()) return undefined;
    const fields = this.#fields.slice(this.#at, this.#at + this.#count);
    this.#at += this.#count;
    return fields;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  #fill(): boolean {
    this.#fd ??= openSync(this.#file, 'r');
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(this.#fd, chunk, 0, CHUNK, null);
    if (read === 0) return false;
    const fields = (this.#rest + chunk.toString('latin1', 0, read)).split('\0');
    this.#rest = fields.pop() ?? '';
    this.#fields = [...this.#fields.slice(this.#at), ...fields];
    this.#at = 0;
    return true;
  }
}
