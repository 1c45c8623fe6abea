/** The paths of one layer as its blob has them, read with the oracle's code: nothing here made the layer. */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import type { TarEntry } from '../oci/validation/tar-reader.ts';
import { TarReader } from '../oci/validation/tar-reader.ts';
import type { ByteString } from '../printable.ts';

export interface LayerPath {
  readonly path: ByteString;
  /** POSIX type flag. */
  readonly flag: string;
  readonly hardLink: ByteString | undefined;
  /** Of a symbolic link, as it is stored. */
  readonly target: ByteString | undefined;
  readonly size: number;
  /** `mode`, `uid`, `gid`, `mtime`, `device`, and records of the extended header: times with their fractions, xattrs. */
  readonly attributes: ReadonlyMap<string, ByteString>;
  /** `sha256:…` of a regular file's content. */
  readonly digest: string | undefined;
}

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
const READ_BYTES = 1024 * 1024;

/**
 * @param file an uncompressed layer.
 * @param complain gets every breach of the tar format.
 * @param digests false leaves them out, and the hashing.
 */
export async function* layerPaths(
  file: string,
  complain: (message: string) => void,
  digests = true,
): AsyncGenerator<readonly LayerPath[]> {
  const hashing = new Hashing(digests);
  const reader = new TarReader((_code, offset, message) => complain(`${message} (at byte ${offset})`), hashing);
  for await (const chunk of createReadStream(file, { highWaterMark: READ_BYTES })) {
    if (!Buffer.isBuffer(chunk)) continue;
    reader.push(chunk);
    yield hashing.take();
  }
  reader.end();
  hashing.finish();
  yield hashing.take();
}

/** What an entry hides of the layers below its own (image-spec, layer.md, "Whiteouts"). */
export interface Hides {
  readonly path: ByteString;
  /** True where only what lies in that folder is hidden, and not the folder: an opaque whiteout. */
  readonly contentOnly: boolean;
}

/** Undefined for every name that is no whiteout's. */
export function hiddenBy({ path }: LayerPath): Hides | undefined {
  const slash = path.lastIndexOf('/') + 1;
  if (!path.startsWith(WHITEOUT, slash)) return undefined;
  const contentOnly = path.slice(slash) === OPAQUE;
  const hidden = contentOnly
    ? path.slice(0, slash - 1) || '/'
    : path.slice(0, slash) + path.slice(slash + WHITEOUT.length);
  return { path: hidden as ByteString, contentOnly };
}

class Hashing {
  readonly #digests: boolean;
  #ready: LayerPath[] = [];
  #current: { readonly entry: TarEntry; readonly hash: Hash | undefined } | undefined;

  constructor(digests: boolean) {
    this.#digests = digests;
  }

  entry(entry: TarEntry): void {
    this.finish();
    const file = entry.type === '0' || entry.type === '7';
    this.#current = { entry, hash: this.#digests && file ? createHash('sha256') : undefined };
  }

  content(bytes: Buffer): void {
    this.#current?.hash?.update(bytes);
  }

  finish(): void {
    if (this.#current === undefined) return;
    const { entry, hash } = this.#current;
    this.#current = undefined;
    this.#ready.push({
      path: absolute(entry.name),
      flag: entry.type,
      hardLink: entry.type === '1' ? absolute(entry.link) : undefined,
      target: entry.type === '2' ? entry.link : undefined,
      size: entry.size,
      attributes: entry.attributes,
      digest: hash === undefined ? undefined : `sha256:${hash.digest('hex')}`,
    });
  }

  take(): readonly LayerPath[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}

/** `./a//b/` is `/a/b`. */
function absolute(name: ByteString): ByteString {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  return `/${parts.join('/')}` as ByteString;
}
