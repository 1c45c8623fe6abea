/**
 * Every path of each hazard, for who asks for all of them. A source may have millions, so they lie on disk, in files that
 * have no names any more: whatever ends the process, nothing is left of them.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { HAZARD_KINDS, type HazardKind } from '../listing/anatomy.ts';
import { type ByteString, byteString } from '../printable.ts';
import { WorkFolder } from './work-folder.ts';

const CHUNK = 128 * 1024;

/** Takes paths and gives them back, in their order. Call `drain` now and then while adding. */
export class HazardPaths implements AsyncDisposable {
  readonly #files: ReadonlyMap<HazardKind, PathFile>;

  private constructor(files: ReadonlyMap<HazardKind, PathFile>) {
    this.#files = files;
  }

  /** Among the machine's temporary files. */
  static async create(): Promise<HazardPaths> {
    await using folder = await WorkFolder.temporary();
    const files = new Map<HazardKind, PathFile>();
    for (const [index, kind] of HAZARD_KINDS.entries()) {
      files.set(kind, new PathFile(await open(join(folder.path, `hazard-${index}`), 'ax+', 0o600)));
    }
    return new HazardPaths(files);
  }

  add(kind: HazardKind, path: ByteString): void {
    this.#files.get(kind)?.add(path);
  }

  async drain(): Promise<void> {
    for (const file of this.#files.values()) await file.drain();
  }

  /** As if none had been added. */
  async clear(): Promise<void> {
    for (const file of this.#files.values()) await file.clear();
  }

  /** Once all are added. */
  async *batches(kind: HazardKind): AsyncGenerator<readonly ByteString[]> {
    const file = this.#files.get(kind);
    if (file !== undefined) yield* file.batches();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }
}

/** Paths with a NUL after each, which no path can hold. */
class PathFile {
  readonly #handle: FileHandle;
  #pending: string[] = [];
  #pendingBytes = 0;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  add(path: ByteString): void {
    this.#pending.push(path, '\0');
    this.#pendingBytes += path.length + 1;
  }

  async drain(): Promise<void> {
    if (this.#pendingBytes >= CHUNK) await this.#write();
  }

  async *batches(): AsyncGenerator<readonly ByteString[]> {
    await this.#write();
    const chunk = Buffer.allocUnsafe(CHUNK);
    let rest = Buffer.alloc(0);
    for (let at = 0; ; ) {
      const { bytesRead } = await this.#handle.read(chunk, 0, CHUNK, at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const paths: ByteString[] = [];
      let start = 0;
      for (let end = bytes.indexOf(0); end >= 0; end = bytes.indexOf(0, start)) {
        paths.push(byteString(bytes.subarray(start, end)));
        start = end + 1;
      }
      rest = bytes.subarray(start);
      yield paths;
    }
  }

  async clear(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#handle.truncate(0);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  /** At the file's end: reads have places of their own and do not move it. */
  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#pending.join(''), 'latin1');
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes.length > 0) await this.#handle.writeFile(bytes);
  }
}
