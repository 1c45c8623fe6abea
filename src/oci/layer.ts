/** A layer that lies in the store. */
import type { Digest } from './digest.ts';

export interface Layer {
  readonly mediaType: string;
  /** Of the stored bytes. */
  readonly digest: Digest;
  /** Of the uncompressed tar. */
  readonly diffID: Digest;
  /** Stored bytes. */
  readonly size: number;
}
