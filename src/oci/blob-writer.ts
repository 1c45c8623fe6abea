/**
 * Writes one blob: hashed while it is copied, and visible under its digest only when it is whole and on the disk. Waiting
 * for the disk is left to the store, which does it while the next blob is written: the source must not wait for it.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, rm } from 'node:fs/promises';
import { type Digest, digestOfHex } from './digest.ts';
import { DiskFile } from './disk-file.ts';
import { storeError } from './files.ts';

/** A blob that is written and not yet on the disk for sure. Who gets it closes the handle. */
export interface FinishedBlob {
  readonly file: string;
  readonly handle: FileHandle;
  readonly digest: Digest;
}

export class BlobWriter implements AsyncDisposable {
  readonly #path: string;
  readonly #file: DiskFile;
  readonly #hash: Hash;
  readonly #publish: (blob: FinishedBlob) => void;
  #open = true;

  private constructor(path: string, file: DiskFile, hash: Hash, publish: (blob: FinishedBlob) => void) {
    this.#path = path;
    this.#file = file;
    this.#hash = hash;
    this.#publish = publish;
  }

  /** @param publish takes the finished file over. */
  static async create(path: string, publish: (blob: FinishedBlob) => void): Promise<BlobWriter> {
    const hash = createHash('sha256');
    try {
      const file = await DiskFile.create(path, (bytes) => hash.update(bytes));
      return new BlobWriter(path, file, hash, publish);
    } catch (error) {
      throw storeError(error, path);
    }
  }

  /** @throws P2cError `store.full`, `store.denied`. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    try {
      for (const piece of pieces) {
        for (let at = this.#file.put(piece, 0); at < piece.length; at += this.#file.put(piece, at)) {
          await this.#file.room();
        }
      }
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }

  /** Ends the blob and hands it to the store, which makes it visible once it is on the disk. */
  async commit(): Promise<{ digest: Digest; size: number }> {
    try {
      const handle = await this.#file.end();
      const digest = digestOfHex(this.#hash.digest('hex'));
      this.#open = false;
      this.#publish({ file: this.#path, handle, digest });
      return { digest, size: this.#file.size };
    } catch (error) {
      throw storeError(error, this.#path);
    }
  }

  /** Without a commit, nothing stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.abandon();
    await rm(this.#path, { force: true });
  }
}
