/**
 * A new file that is written from its beginning to its end, past the kernel's cache where that can be (O_DIRECT): a layer
 * is as large as a server's disk, and through the cache its bytes would be copied once more and drive out all else.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { systemCode } from '../errors.ts';
import { borrowPageBuffer, PAGE_BUFFER_BYTES, returnPageBuffer } from './page-buffers.ts';

/** One is filled while the others are written. */
const BUFFERS = 4;
/** After so many, it is known whether the disk keeps up. */
const TRIAL_WRITES = 64;
/** A disk that is waited for longer than this share of the time is slower than what comes. */
const PATIENCE = 0.2;

export class DiskFile {
  /** Through the cache: for what is no whole buffer, and for disks that are slower than the bytes come. */
  readonly #cached: FileHandle;
  readonly #path: string;
  readonly #onBuffer: (bytes: Buffer) => void;
  #direct: FileHandle | undefined;
  #mode: 'not yet' | 'direct' | 'cached' = 'not yet';
  #filling: Buffer | undefined;
  #filled = 0;
  #position = 0;
  readonly #free: Buffer[] = [];
  #borrowed = 0;
  readonly #writing = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;
  #began = 0;
  #waitedMs = 0;

  private constructor(path: string, cached: FileHandle, onBuffer: (bytes: Buffer) => void) {
    this.#path = path;
    this.#cached = cached;
    this.#onBuffer = onBuffer;
  }

  /** @param onBuffer sees the bytes in order, a buffer at a time; they are its for the call only. */
  static async create(path: string, onBuffer: (bytes: Buffer) => void): Promise<DiskFile> {
    return new DiskFile(path, await open(path, 'wx', 0o644), onBuffer);
  }

  /** Bytes handed over to the kernel so far. */
  get size(): number {
    return this.#position;
  }

  /** @returns how many of the bytes from `at` on were taken; where that is not all, there has to be `room` first. */
  put(bytes: Buffer, at: number): number {
    if (this.#filling === undefined || this.#filled === PAGE_BUFFER_BYTES) return 0;
    const taken = bytes.copy(this.#filling, this.#filled, at);
    this.#filled += taken;
    return taken;
  }

  /** Sends a full buffer off, and waits until there is another. @throws what the kernel said of an earlier write. */
  async room(): Promise<void> {
    if (this.#filling !== undefined) await this.#send(this.#filling);
    this.#filling = await this.#empty();
  }

  /** Waits until all is written, not until it is on the disk. @returns the handle, which is the caller's now. */
  async end(): Promise<FileHandle> {
    if (this.#filling !== undefined) await this.#send(this.#filling);
    await Promise.all(this.#writing);
    if (this.#failure !== undefined) throw this.#failure.error;
    await this.#release();
    return this.#cached;
  }

  /** What was not ended stays as it is. */
  async abandon(): Promise<void> {
    await Promise.all(this.#writing);
    if (this.#filling !== undefined) this.#free.push(this.#filling);
    this.#filling = undefined;
    await this.#release();
    await this.#cached.close();
  }

  async #send(buffer: Buffer): Promise<void> {
    const bytes = buffer.subarray(0, this.#filled);
    this.#onBuffer(bytes);
    const position = this.#position;
    const handle = bytes.length === PAGE_BUFFER_BYTES ? await this.#handle() : this.#cached;
    this.#position += bytes.length;
    // It is the write's from here on, and goes back once only: two files in one buffer would have each other's bytes.
    this.#filling = undefined;
    this.#filled = 0;
    const writing = this.#write(handle, bytes, position)
      .catch((error: unknown) => {
        this.#failure ??= { error };
      })
      .finally(() => {
        this.#free.push(buffer);
        this.#writing.delete(writing);
      });
    this.#writing.add(writing);
  }

  async #write(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
    try {
      await writeWhole(handle, bytes, position);
    } catch (error) {
      // A filesystem that allows the flag and not the writing.
      if (handle === this.#cached || systemCode(error) !== 'EINVAL') throw error;
      this.#mode = 'cached';
      await writeWhole(this.#cached, bytes, position);
    }
  }

  /** Where the next whole buffer goes. */
  async #handle(): Promise<FileHandle> {
    if (this.#mode === 'not yet') {
      this.#direct = await openDirect(this.#path);
      this.#mode = 'direct';
      this.#began = performance.now();
    }
    if (this.#mode === 'direct' && this.#isSlow()) this.#mode = 'cached';
    return this.#mode === 'cached' ? this.#cached : (this.#direct ?? this.#cached);
  }

  /** The source must not wait for a disk as long as memory can hold what comes. */
  #isSlow(): boolean {
    return (
      this.#position >= TRIAL_WRITES * PAGE_BUFFER_BYTES &&
      this.#waitedMs > PATIENCE * (performance.now() - this.#began)
    );
  }

  async #empty(): Promise<Buffer> {
    while (this.#free.length === 0 && this.#borrowed === BUFFERS) {
      const before = performance.now();
      await Promise.race(this.#writing);
      this.#waitedMs += performance.now() - before;
    }
    if (this.#failure !== undefined) throw this.#failure.error;
    const free = this.#free.pop();
    if (free !== undefined) return free;
    this.#borrowed += 1;
    return borrowPageBuffer();
  }

  async #release(): Promise<void> {
    for (const buffer of this.#free.splice(0)) returnPageBuffer(buffer);
    this.#borrowed = 0;
    await this.#direct?.close();
    this.#direct = undefined;
  }
}

/** @returns undefined where the filesystem does not support it (open(2), EINVAL). */
async function openDirect(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_WRONLY | constants.O_DIRECT);
  } catch (error) {
    if (systemCode(error) === 'EINVAL') return undefined;
    throw error;
  }
}

async function writeWhole(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}
