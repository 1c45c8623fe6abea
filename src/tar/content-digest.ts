/** The digests of entries' contents, which come in pieces that end anywhere. */
import { createHash, type Hash, hash } from 'node:crypto';

export class ContentDigest {
  #left = 0;
  #hash: Hash | undefined;

  /** @param size bytes of the content that begins. */
  begin(size: number): void {
    this.#left = size;
    this.#hash = undefined;
  }

  /**
   * @param bytes the next of it; what is beyond its end (the padding of a tar) is not looked at.
   * @returns `sha256:…` once all of it came, and that once only.
   */
  push(bytes: Buffer): string | undefined {
    if (this.#left === 0) return undefined;
    const content = bytes.length <= this.#left ? bytes : bytes.subarray(0, this.#left);
    this.#left -= content.length;
    // Most files come in one piece, and a hash object for each would cost more than the hashing.
    if (this.#left === 0 && this.#hash === undefined) return `sha256:${hash('sha256', content)}`;
    this.#hash ??= createHash('sha256');
    this.#hash.update(content);
    return this.#left === 0 ? `sha256:${this.#hash.digest('hex')}` : undefined;
  }
}

/** Of no bytes at all. */
export const EMPTY_DIGEST = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';
