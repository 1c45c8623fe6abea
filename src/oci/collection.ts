/** Which blobs of a layout are needed, by whom, and which are not. To be asked and used with the store's lock held. */
import type { Digest } from './digest.ts';
import type { Layout } from './layout.ts';
import { reachable } from './reachable.ts';
import type { Index } from './spec.ts';

export interface IdleBlob {
  readonly digest: Digest;
  readonly bytes: number;
}

/** What the removal of an image took away. */
export interface Removed {
  readonly untagged: readonly string[];
  readonly removedBlobs: number;
  readonly bytes: number;
}

export class Collection {
  readonly #layout: Layout;
  /** What the index reaches: images, and the artifacts that describe them. */
  readonly named: ReadonlySet<Digest>;
  /** What a live process has noted (uses.ts), and what is kept for a run that can be resumed (holds.ts). */
  readonly spokenFor: ReadonlySet<Digest>;

  private constructor(layout: Layout, named: ReadonlySet<Digest>, spokenFor: ReadonlySet<Digest>) {
    this.#layout = layout;
    this.named = named;
    this.spokenFor = spokenFor;
  }

  /** @throws P2cError `store.invalid`, `store.foreign` where a manifest hides what it needs. */
  static async of(layout: Layout, index: Index): Promise<Collection> {
    const named = await reachable(layout, index.manifests);
    const noted = await layout.uses.all();
    const held = await layout.holds.all();
    return new Collection(layout, named, new Set([...noted, ...held]));
  }

  async idle(): Promise<IdleBlob[]> {
    const idle: IdleBlob[] = [];
    for (const digest of await this.#layout.blobs()) {
      if (this.named.has(digest) || this.spokenFor.has(digest)) continue;
      idle.push({ digest, bytes: (await this.#layout.sizeOf(digest)) ?? 0 });
    }
    return idle;
  }

  async removeIdle(): Promise<IdleBlob[]> {
    const idle = await this.idle();
    for (const { digest } of idle) await this.#layout.removeBlob(digest);
    return idle;
  }
}
