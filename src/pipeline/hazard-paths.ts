/**
 * Every path of each hazard, for who asks for all of them. A source may have millions, so they lie on disk, in files that
 * have no names any more: whatever ends the process, nothing is left of them.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import { HAZARD_KINDS, type HazardKind } from '../listing/anatomy.ts';
import { mergeEntries } from '../listing/merge.ts';
import { comparePaths } from '../listing/path.ts';
import { type ByteString, byteString } from '../printable.ts';
import { WorkFolder } from './work-folder.ts';

const CHUNK = 32 * 1024;
/** Sorted in memory at once. */
const PIECE = 2 * 1024 * 1024;

/** Takes paths in any order and gives them back in path order. Call `drain` now and then while adding. */
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

/** Paths with a NUL after each, which no path can hold: a piece that is in order after the other. */
class PathFile {
  readonly #handle: FileHandle;
  #pending: ByteString[] = [];
  #pendingBytes = 0;
  /** Where each piece ends. */
  #ends: number[] = [];
  /** Several finds add at the same time: Node.js writes a large piece in several, and no other may come between them. */
  #writing: Promise<void> = Promise.resolve();

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  add(path: ByteString): void {
    this.#pending.push(path);
    this.#pendingBytes += path.length + 1;
  }

  async drain(): Promise<void> {
    if (this.#pendingBytes >= PIECE) await this.#write();
  }

  /** In path order. */
  async *batches(): AsyncGenerator<readonly ByteString[]> {
    await this.#write();
    const pieces = this.#ends.map((end, index) => this.#piece(this.#ends[index - 1] ?? 0, end));
    for await (const batch of mergeEntries(pieces)) yield batch.map(({ path }) => path);
  }

  async *#piece(start: number, end: number): AsyncGenerator<readonly { readonly path: ByteString }[]> {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let rest = Buffer.alloc(0);
    for (let at = start; at < end; ) {
      const { bytesRead } = await this.#handle.read(chunk, 0, Math.min(CHUNK, end - at), at);
      if (bytesRead === 0) return;
      at += bytesRead;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      const paths: { path: ByteString }[] = [];
      let first = 0;
      for (let nul = bytes.indexOf(0); nul >= 0; nul = bytes.indexOf(0, first)) {
        paths.push({ path: byteString(bytes.subarray(first, nul)) });
        first = nul + 1;
      }
      rest = bytes.subarray(first);
      yield paths;
    }
  }

  async clear(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#ends = [];
      await this.#handle.truncate(0);
    });
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }

  #write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#writePiece());
    return this.#writing;
  }

  /** At the file's end: reads have places of their own and do not move it. */
  async #writePiece(): Promise<void> {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.from(`${this.#pending.sort(comparePaths).join('\0')}\0`, 'latin1');
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#ends.push((this.#ends.at(-1) ?? 0) + bytes.length);
    await this.#handle.writeFile(bytes);
  }
}
