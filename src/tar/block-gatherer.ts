/** Gathers blocks of a tar stream across its chunks. */
export class BlockGatherer {
  #pieces: Buffer[] = [];
  #length = 0;

  /** True inside a block. */
  get pending(): boolean {
    return this.#length > 0;
  }

  /**
   * Takes what belongs to the block from a chunk.
   * @param at where in the chunk the block begins or goes on.
   * @param size bytes of the whole block.
   * @returns where in the chunk that ends, and the block once it is whole: a slice of the chunk where it lies in one.
   */
  gather(chunk: Buffer, at: number, size: number): { readonly end: number; readonly block: Buffer | undefined } {
    const end = Math.min(at + size - this.#length, chunk.length);
    const piece = chunk.subarray(at, end);
    this.#length += piece.length;
    if (this.#length < size) {
      // A copy: the chunk is its owner's to use again.
      this.#pieces.push(Buffer.from(piece));
      return { end, block: undefined };
    }
    const block = this.#pieces.length === 0 ? piece : Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#length = 0;
    return { end, block };
  }
}
