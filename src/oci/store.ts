/** The image store: images by name in an OCI layout. A run that is killed at any moment leaves a layout that validates. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { type P2cError, usageError } from '../errors.ts';
import type { BlobWriter } from './blob-writer.ts';
import { type Digest, hexOf, isDigest } from './digest.ts';
import type { Image } from './image.ts';
import type { Layer } from './layer.ts';
import { Layout } from './layout.ts';
import type { Reference } from './reference.ts';
import {
  type Descriptor,
  type ImageConfig,
  type Index,
  imageConfigSchema,
  type Manifest,
  MediaType,
  manifestSchema,
  REF_NAME,
} from './spec.ts';

export interface NewImage {
  readonly reference: Reference;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
}

export interface Removed {
  readonly untagged: readonly string[];
  readonly removedBlobs: number;
  readonly bytes: number;
}

/** Open it per run, and dispose of it: blobs that became part of no image are then removed. */
export class ImageStore implements AsyncDisposable {
  readonly root: string;
  readonly #layout: Layout;
  #wrote = false;

  private constructor(layout: Layout) {
    this.root = layout.root;
    this.#layout = layout;
  }

  static async open(root: string, options: { readonly create?: boolean } = {}): Promise<ImageStore> {
    const create = options.create ?? false;
    const layout = await Layout.open(root, create);
    if (create) await layout.removeStaleTemporaries();
    return new ImageStore(layout);
  }

  createBlob(): Promise<BlobWriter> {
    this.#wrote = true;
    return this.#layout.createBlob();
  }

  blobPath(digest: Digest): string {
    return this.#layout.blobPath(digest);
  }

  openBlob(digest: Digest): Readable {
    return createReadStream(this.blobPath(digest), { highWaterMark: 1024 * 1024 });
  }

  /** Writes config and manifest, and last of all the name. A name that another image had moves to this one. */
  async addImage({ reference, layers, config }: NewImage): Promise<Image> {
    const configBlob = await this.#writeDocument(config, MediaType.config);
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      config: configBlob,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    };
    const descriptor = await this.#writeDocument(manifest, MediaType.manifest);
    await this.#layout.published();
    await using _ = await this.#layout.lock();
    const index = await this.#layout.readIndex();
    const others = index.manifests.filter((item) => item.annotations?.[REF_NAME] !== reference.name);
    const named = { ...descriptor, annotations: { [REF_NAME]: reference.name } };
    await this.#layout.writeIndex({ ...index, manifests: [...others, named] });
    return this.#read(named);
  }

  /**
   * By name, with or without tag and `localhost/`; by the digest of the manifest; by three or more digits of the ID.
   * @throws P2cError `image.unknown`, `image.ambiguous`.
   */
  async find(name: string): Promise<Image> {
    const found = await this.#descriptors(name);
    const first = found[0];
    if (first === undefined) throw await this.#unknown(name);
    if (new Set(found.map((item) => item.digest)).size > 1) {
      throw usageError(`'${name}' is the beginning of ${found.length} images' IDs`, {
        code: 'image.ambiguous',
        hint: "give more digits, or a name: 'p2c images' lists them",
      });
    }
    return this.#read(first);
  }

  /** Every image, the newest first. */
  async list(): Promise<Image[]> {
    const { manifests } = await this.#layout.readIndex();
    const images: Image[] = [];
    for (const item of manifests.filter(isImage)) images.push(await this.#read(item));
    return images.sort((a, b) => (b.config.created ?? '').localeCompare(a.config.created ?? ''));
  }

  /** Takes a name away, or an image with all its names where it is given by ID; blobs that nothing needs go too. */
  async remove(name: string): Promise<Removed> {
    await using _ = await this.#layout.lock();
    const found = await this.#descriptors(name);
    if (found.length === 0) throw await this.#unknown(name);
    const gone = new Set(found);
    const index = await this.#layout.readIndex();
    const left = index.manifests.filter((item) => ![...gone].some((other) => sameDescriptor(item, other)));
    await this.#layout.writeIndex({ ...index, manifests: left });
    const untagged = found.flatMap((item) => item.annotations?.[REF_NAME] ?? []);
    return { untagged, ...(await this.#collect({ ...index, manifests: left })) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#wrote) return;
    await this.#layout.published().catch(() => {});
    await this.#layout.uses.release();
    await using _ = await this.#layout.lock();
    await this.#collect(await this.#layout.readIndex());
  }

  async #writeDocument(document: object, mediaType: string): Promise<Descriptor> {
    await using blob = await this.createBlob();
    await blob.write([Buffer.from(JSON.stringify(document))]);
    return { mediaType, ...(await blob.commit()) };
  }

  async #read(descriptor: Descriptor): Promise<Image> {
    const manifest = await this.#layout.readDocument(descriptor.digest, manifestSchema, 'manifest');
    const config = await this.#layout.readDocument(manifest.config.digest, imageConfigSchema, 'config');
    return {
      reference: descriptor.annotations?.[REF_NAME],
      digest: descriptor.digest,
      configDigest: manifest.config.digest,
      manifest,
      config,
      size: manifest.layers.reduce((sum, layer) => sum + layer.size, 0),
    };
  }

  async #descriptors(name: string): Promise<Descriptor[]> {
    const images = (await this.#layout.readIndex()).manifests.filter(isImage);
    const bare = name.replace(/^localhost\//, '');
    const names = new Set([name, bare, `${name}:latest`, `${bare}:latest`]);
    const named = images.filter((item) => names.has(item.annotations?.[REF_NAME] ?? ''));
    if (named.length > 0) return named.slice(0, 1);
    if (isDigest(name)) return images.filter((item) => item.digest === name);
    const id = /^(?:sha256:)?([0-9a-f]{3,64})$/.exec(name)?.[1];
    if (id === undefined) return [];
    const matching: Descriptor[] = [];
    for (const item of images) if (hexOf((await this.#read(item)).configDigest).startsWith(id)) matching.push(item);
    return matching;
  }

  async #unknown(name: string): Promise<P2cError> {
    const { manifests } = await this.#layout.readIndex();
    const known = manifests.flatMap((item) => item.annotations?.[REF_NAME] ?? []);
    return usageError(`there is no image '${name}' in ${this.root}`, {
      code: 'image.unknown',
      hint:
        known.length === 0
          ? "the store is empty: 'p2c migrate' makes images"
          : `it has: ${known.slice(0, 10).join(', ')}`,
    });
  }

  /** With the lock held. What the index reaches stays, and what a live run has noted. */
  async #collect(index: Index): Promise<{ removedBlobs: number; bytes: number }> {
    const present = await this.#layout.blobs();
    const kept = await this.#layout.uses.all();
    for (const item of index.manifests) for (const digest of await this.#reachable(item)) kept.add(digest);
    let bytes = 0;
    const gone = present.filter((digest) => !kept.has(digest));
    for (const digest of gone) bytes += await this.#layout.removeBlob(digest);
    return { removedBlobs: gone.length, bytes };
  }

  async #reachable(descriptor: Descriptor): Promise<Digest[]> {
    if (!isImage(descriptor)) return [descriptor.digest];
    const manifest = await this.#layout.readDocument(descriptor.digest, manifestSchema, 'manifest');
    return [descriptor.digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)];
  }
}

function isImage(descriptor: Descriptor): boolean {
  return descriptor.mediaType === MediaType.manifest;
}

function sameDescriptor(a: Descriptor, b: Descriptor): boolean {
  return a.digest === b.digest && a.annotations?.[REF_NAME] === b.annotations?.[REF_NAME];
}
