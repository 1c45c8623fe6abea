/** What went into one layer, path by path, in path order: written while it streams, read when the receipt is made. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { storeError } from '../../oci/files.ts';
import type { ByteString } from '../../printable.ts';

export interface Captured {
  readonly path: ByteString;
  /** `sha256:…` of a regular file's content. */
  readonly digest: string | undefined;
  readonly hardLink: ByteString | undefined;
  readonly fixes: readonly string[];
  /** Where it begins in its layer, in bytes. */
  readonly offset: number;
}

/** Little, so that what is made of one is gone soon: what lives longer costs the garbage collector, and memory. */
const CHUNK = 32 * 1024;
const FIELDS = 5;

/** Writes block: the file is local, and they come between two chunks of a stream. */
export class CaptureLogWriter {
  readonly file: string;
  readonly #fd: number;
  #pending: string[] = [];
  #length = 0;
  #open = true;

  constructor(file: string) {
    this.file = file;
    // A part that is begun anew begins its log anew.
    this.#fd = openSync(file, 'w', 0o600);
  }

  add({ path, digest, hardLink, fixes, offset }: Captured): void {
    const text = `${path}\0${digest ?? ''}\0${hardLink ?? ''}\0${fixes.join(',')}\0${offset}\0`;
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

/** Stands at one record after the other. Opened only while it is read: the logs of many layers lie side by side. */
export class CaptureLogReader {
  readonly #file: string;
  #fd: number | undefined;
  #fields: string[] = [];
  #at = 0;
  #rest = '';
  #current: Captured | undefined;

  constructor(file: string) {
    this.#file = file;
    this.next();
  }

  /** Undefined at the end. */
  get current(): Captured | undefined {
    return this.#current;
  }

  next(): void {
    while (this.#fields.length - this.#at < FIELDS) {
      if (!this.#fill()) {
        this.#current = undefined;
        return;
      }
    }
    const [path = '', digest = '', hardLink = '', fixes = '', offset = ''] = this.#fields.slice(
      this.#at,
      this.#at + FIELDS,
    );
    this.#at += FIELDS;
    this.#current = {
      path: path as ByteString,
      digest: digest === '' ? undefined : digest,
      hardLink: hardLink === '' ? undefined : (hardLink as ByteString),
      fixes: fixes === '' ? [] : fixes.split(','),
      offset: Number(offset),
    };
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
