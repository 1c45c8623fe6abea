/**
 * Writes one blob: hashed while it is copied, and visible under its digest only when it is whole and on the disk. Waiting
 * for the disk is left to the store, which does it while the next blob is written: the source must not wait for it.
 */
import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { type Digest, digestOfHex } from './digest.ts';
import { storeError } from './files.ts';

/** Small pieces are gathered up to this before a system call is spent on them. */
const BATCH_BYTES = 1024 * 1024;
/** IOV_MAX on Linux. */
const BATCH_PIECES = 1024;

/** A blob that is written and not yet on the disk for sure. Who gets it closes the handle. */
export interface FinishedBlob {
  readonly file: string;
  readonly handle: FileHandle;
  readonly digest: Digest;
}

export class BlobWriter implements AsyncDisposable {
  readonly #file: string;
  readonly #handle: FileHandle;
  readonly #publish: (blob: FinishedBlob) => void;
  readonly #hash: Hash = createHash('sha256');
  #pieces: Buffer[] = [];
  #pending = 0;
  #size = 0;
  #open = true;

  private constructor(file: string, handle: FileHandle, publish: (blob: FinishedBlob) => void) {
    this.#file = file;
    this.#handle = handle;
    this.#publish = publish;
  }

  /** @param publish takes the finished file over. */
  static async create(file: string, publish: (blob: FinishedBlob) => void): Promise<BlobWriter> {
    try {
      return new BlobWriter(file, await open(file, 'wx', 0o644), publish);
    } catch (error) {
      throw storeError(error, file);
    }
  }

  /** The pieces must not change afterwards. @throws P2cError `store.full`, `store.denied`. */
  async write(pieces: readonly Buffer[]): Promise<void> {
    for (const piece of pieces) {
      this.#hash.update(piece);
      this.#pieces.push(piece);
      this.#pending += piece.length;
      if (this.#pending >= BATCH_BYTES || this.#pieces.length >= BATCH_PIECES) await this.#flush();
    }
  }

  /** Ends the blob and hands it to the store, which makes it visible once it is on the disk. */
  async commit(): Promise<{ digest: Digest; size: number }> {
    await this.#flush();
    const digest = digestOfHex(this.#hash.digest('hex'));
    this.#open = false;
    this.#publish({ file: this.#file, handle: this.#handle, digest });
    return { digest, size: this.#size };
  }

  /** Without a commit, nothing stays. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
    await rm(this.#file, { force: true });
  }

  async #flush(): Promise<void> {
    let pieces = this.#pieces;
    this.#pieces = [];
    this.#size += this.#pending;
    this.#pending = 0;
    try {
      while (pieces.length > 0) {
        const { bytesWritten } = await this.#handle.writev(pieces);
        pieces = rest(pieces, bytesWritten);
      }
    } catch (error) {
      throw storeError(error, this.#file);
    }
  }
}

/** What a short write left over. */
function rest(pieces: readonly Buffer[], written: number): Buffer[] {
  let skip = written;
  const left: Buffer[] = [];
  for (const piece of pieces) {
    if (skip >= piece.length) skip -= piece.length;
    else {
      left.push(piece.subarray(skip));
      skip = 0;
    }
  }
  return left;
}
