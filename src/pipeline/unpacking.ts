/**
 * Unpacks layers while others still arrive, one at a time at first, so that what is booted in the end waits for the last of them
 * alone. A layer that could not be unpacked here is unpacked when its container is made, which then tells why.
 */
import { availableParallelism } from 'node:os';
import pLimit from 'p-limit';
import { messageOf, P2cError } from '../errors.ts';
import type { Layer } from '../oci/layer.ts';
import type { ImageStore } from '../oci/store.ts';
import { type Haste, unpackAside } from '../runtime/unpacker.ts';
import type { Memory, PartMemory } from './memory.ts';
import type { Tell } from './stage.ts';

export class Unpacking implements AsyncDisposable {
  readonly #store: ImageStore;
  readonly #memory: Memory;
  readonly #note: Tell;
  readonly #limit = pLimit(1);
  readonly #over = new AbortController();
  /** By digest. */
  readonly #work = new Map<string, Promise<void>>();
  #unpacked = 0;
  #haste: Haste = 'gives-way';

  constructor(store: ImageStore, memory: Memory, note: Tell) {
    this.#store = store;
    this.#memory = memory;
    this.#note = note;
  }

  /** Layers that are unpacked by now. */
  get unpacked(): number {
    return this.#unpacked;
  }

  /** A memory of parts by which each of the image is unpacked as soon as it is whole, whoever captured it. */
  parts(inner: PartMemory): PartMemory {
    return {
      recall: async (part, parts) => {
        const kept = await inner.recall(part, parts);
        if (kept !== undefined && part.volume === undefined) this.add(kept.layer);
        return kept;
      },
      remember: (part, parts, captured) => {
        inner.remember(part, parts, captured);
        if (part.volume === undefined) this.add(captured.layer);
      },
      settled: () => inner.settled(),
    };
  }

  /** Returns at once. */
  add(layer: Layer): void {
    if (!this.#work.has(layer.digest))
      this.#work.set(
        layer.digest,
        this.#limit(() => this.#unpack(layer)),
      );
  }

  /** Nothing is streamed any more: the machine is free. */
  hurry(): void {
    this.#haste = 'hurries';
    this.#limit.concurrency = availableParallelism();
  }

  /** Waits until all that was added is unpacked, or could not be. */
  async done(): Promise<void> {
    await Promise.all(this.#work.values());
  }

  /** What is not unpacked yet stays so, and nothing half-unpacked is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#over.abort();
    await this.done();
  }

  async #unpack({ digest, mediaType }: Layer): Promise<void> {
    const { signal } = this.#over;
    if (signal.aborted) return;
    const began = performance.now();
    try {
      await this.#store.published(digest);
      const layer = { digest, mediaType, blobPath: this.#store.blobPath(digest) };
      await unpackAside(this.#store.root, layer, this.#haste, signal);
    } catch (error) {
      const cause = error instanceof P2cError && error.cause !== undefined ? `: ${messageOf(error.cause)}` : '';
      if (!signal.aborted) this.#note(`${messageOf(error)}${cause}`);
      return;
    }
    this.#unpacked += 1;
    this.#memory.record({ event: 'layer-unpacked', digest, milliseconds: performance.now() - began });
  }
}
