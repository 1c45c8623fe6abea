/**
 * The list of paths of one part, as a file: for each a letter, the path, a NUL; for a file that p2c makes itself, its
 * attributes and a NUL more. It is read twice at the same time: as the names fed to the source's tar, and by the filter
 * that compares what comes back with what was asked for.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { ByteString } from '../printable.ts';

export interface ListedPath {
  readonly path: ByteString;
  /** True where other names share the inode: a later one may come as a hard link to this one. */
  readonly hardLinked: boolean;
  /** Of an empty file that p2c makes in the place of the source's: the tar is not asked for it. */
  readonly made?: MadeFile | undefined;
}

interface MadeFile {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const CHUNK = 128 * 1024;
const HARD_LINKED = 'h';
const SINGLE = '-';
const MADE = 'm';

/** Collects paths and writes them in pieces; call `drain` now and then, and `finish` at the end. */
export class PathListWriter {
  readonly #file: string;
  #handle: FileHandle | undefined;
  #pending: string[] = [];
  #pendingBytes = 0;

  constructor(file: string) {
    this.#file = file;
  }

  add(listed: ListedPath): void {
    const text = encode(listed);
    this.#pending.push(text);
    this.#pendingBytes += text.length;
  }

  async drain(): Promise<void> {
    if (this.#pendingBytes >= CHUNK) await this.#write();
  }

  async finish(): Promise<void> {
    await this.#write();
    await this.close();
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  /** Opened only while it is written: a plan of 64 parts must not hold 64 files. */
  async #write(): Promise<void> {
    if (this.#pending.length === 0) return;
    this.#handle ??= await open(this.#file, 'a', 0o600);
    const bytes = Buffer.from(this.#pending.join(''), 'latin1');
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#handle.writeFile(bytes);
  }
}

function encode({ path, hardLinked, made }: ListedPath): string {
  if (made === undefined) return `${hardLinked ? HARD_LINKED : SINGLE}${path}\0`;
  return `${MADE}${path}\0${made.mode} ${made.uid} ${made.gid}\0`;
}

/**
 * The list as `tar --null --files-from=-` reads it: each path with `.` before it, so that none can look like an option.
 * @param unquotes of a tar that takes backslashes for escapes and cannot be told not to: each is doubled.
 */
export async function* tarNames(file: string, { unquotes = false } = {}): AsyncGenerator<Buffer> {
  const reader = new PathListReader(file);
  try {
    for (;;) {
      const names: string[] = [];
      let bytes = 0;
      while (bytes < CHUNK) {
        const listed = reader.next();
        if (listed === undefined) break;
        if (listed.made !== undefined) continue;
        const path = unquotes ? listed.path.replaceAll('\\', '\\\\') : listed.path;
        names.push(`.${path}\0`);
        bytes += path.length + 2;
      }
      if (names.length === 0) return;
      yield Buffer.from(names.join(''), 'latin1');
    }
  } finally {
    reader.close();
  }
}

/** Reads a list a path at a time. Reads block: the file is local, and the filter cannot wait in the middle of a chunk. */
export class PathListReader {
  readonly #file: string;
  #fd: number | undefined;
  #text = '';
  #at = 0;
  #ended = false;

  constructor(file: string) {
    this.#file = file;
  }

  next(): ListedPath | undefined {
    const field = this.#field();
    if (field === undefined) return undefined;
    const path = field.slice(1) as ByteString;
    const letter = field.charAt(0);
    if (letter !== MADE) return { path, hardLinked: letter === HARD_LINKED };
    const [mode = 0, uid = 0, gid = 0] = (this.#field() ?? '').split(' ').map(Number);
    return { path, hardLinked: false, made: { mode, uid, gid } };
  }

  #field(): string | undefined {
    for (;;) {
      const end = this.#text.indexOf('\0', this.#at);
      if (end >= 0) {
        const field = this.#text.slice(this.#at, end);
        this.#at = end + 1;
        return field;
      }
      if (!this.#fill()) return undefined;
    }
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#ended = true;
  }

  #fill(): boolean {
    if (this.#ended) return false;
    this.#fd ??= openSync(this.#file, 'r');
    const chunk = Buffer.allocUnsafe(CHUNK);
    const read = readSync(this.#fd, chunk, 0, CHUNK, null);
    if (read === 0) {
      this.close();
      return false;
    }
    this.#text = this.#text.slice(this.#at) + chunk.toString('latin1', 0, read);
    this.#at = 0;
    return true;
  }
}
