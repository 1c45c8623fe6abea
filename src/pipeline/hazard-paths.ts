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
  readonly #files: ReadonlyMap<HazardKind, PathFile> = new Map(HAZARD_KINDS.map((kind) => [kind, new PathFile()]));

  add(kind: HazardKind, path: ByteString): void {
    this.#files.get(kind)?.add(path);
  }

  async drain(): Promise<void> {
    for (const file of this.#files.values()) if (file.isFull) await file.write();
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

/**
 * Paths with a NUL after each, which no path can hold: a piece that is in order after the other. Most servers have few of a
 * kind, and these need no file.
 */
class PathFile {
  #handle: FileHandle | undefined;
  #pending: ByteString[] = [];
  #pendingBytes = 0;
  /** Where each piece ends. */
  #ends: number[] = [];
  /** Several finds add at the same time: Node.js writes a large piece in several, and no other may come between them. */
  #writing: Promise<void> = Promise.resolve();

  add(path: ByteString): void {
    this.#pending.push(path);
    this.#pendingBytes += path.length + 1;
  }

  get isFull(): boolean {
    return this.#pendingBytes >= PIECE;
  }

  /** In path order. */
  async *batches(): AsyncGenerator<readonly ByteString[]> {
    await this.#writing;
    if (this.#ends.length === 0) {
      yield this.#pending.sort(comparePaths);
      return;
    }
    await this.write();
    const pieces = this.#ends.map((end, index) => this.#piece(this.#ends[index - 1] ?? 0, end));
    for await (const batch of mergeEntries(pieces)) yield batch.map(({ path }) => path);
  }

  async *#piece(start: number, end: number): AsyncGenerator<readonly { readonly path: ByteString }[]> {
    const chunk = Buffer.allocUnsafe(CHUNK);
    let rest = Buffer.alloc(0);
    for (let at = start; at < end; ) {
      const bytesRead = (await this.#handle?.read(chunk, 0, Math.min(CHUNK, end - at), at))?.bytesRead ?? 0;
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
      await this.#handle?.truncate(0);
    });
    await this.#writing;
  }

  async close(): Promise<void> {
    await this.#writing.catch(() => {});
    await this.#handle?.close();
  }

  /** What was added, as one more piece. */
  write(): Promise<void> {
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
    this.#handle ??= await namelessFile();
    await this.#handle.writeFile(bytes);
  }
}

/** Among the machine's temporary files. */
async function namelessFile(): Promise<FileHandle> {
  await using folder = await WorkFolder.temporary();
  return await open(join(folder.path, 'hazards'), 'ax+', 0o600);
}
