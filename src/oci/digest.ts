/** Content digests: `sha256:` and 64 lower-case hex digits (OCI image-spec, descriptor.md, "Digests"). */
import { P2cError } from '../errors.ts';

export type Digest = `sha256:${string}` & { readonly __digest: unique symbol };

const FORM = /^sha256:[0-9a-f]{64}$/;

export function isDigest(text: string): text is Digest {
  return FORM.test(text);
}

/** @throws P2cError `oci.digest` where these are not 64 hex digits. */
export function digestOfHex(hex: string): Digest {
  const text = `sha256:${hex}`;
  if (isDigest(text)) return text;
  throw new P2cError(`'${hex.slice(0, 100)}' is no sha256 digest`, { code: 'oci.digest' });
}

export function hexOf(digest: Digest): string {
  return digest.slice('sha256:'.length);
}
