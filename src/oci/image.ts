/** An image of the store: what its manifest and config say. */
import type { Digest } from './digest.ts';
import type { ImageConfig, Manifest } from './spec.ts';

export interface Image {
  /** `repository:tag`; undefined for an image without a name. */
  readonly reference: string | undefined;
  /** Of the manifest. */
  readonly digest: Digest;
  /** What podman calls the image's ID, in hex. */
  readonly configDigest: Digest;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  /** Stored bytes of its layers. */
  readonly size: number;
}
