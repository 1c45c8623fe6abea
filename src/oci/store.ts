/** The image store: images by name in an OCI layout. A run that is killed at any moment leaves a layout that validates. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { P2cError } from '../errors.ts';
import { artifactManifest, EMPTY_CONFIG, type NewArtifact } from './artifact.ts';
import type { BlobWriter } from './blob-writer.ts';
import { Collection, type Removed } from './collection.ts';
import { copyImage, type OtherLayout } from './copy-image.ts';
import { artifactsOf, type DamagedArtifact, damagedArtifacts } from './described.ts';
import { descriptorsMeant, movedImage, nameOf, unknownImage } from './descriptors.ts';
import type { Digest } from './digest.ts';
import type { Image } from './image.ts';
import { type ImageUse, readImageInUse, useImage } from './image-use.ts';
import type { Layer } from './layer.ts';
import { Layout } from './layout.ts';
import { isUnknownNeed, withoutOrphans } from './reachable.ts';
import { isImage, readImage } from './read-image.ts';
import type { Reference } from './reference.ts';
import { type Descriptor, type ImageConfig, type Index, type Manifest, MediaType, REF_NAME, SUBJECT } from './spec.ts';

export interface NewImage {
  /** Its name alone counts here, and may be one that another tool gave. */
  readonly reference: Pick<Reference, 'name'>;
  /** The image that has the name now, where it takes the place of that one and of no other. */
  readonly replaces?: Digest;
  readonly layers: readonly Layer[];
  readonly config: ImageConfig;
  /** They become visible together with it. */
  readonly artifacts?: readonly NewArtifact[];
}

/** Open it per run, and dispose of it: blobs that became part of no image are then removed. */
export class ImageStore implements AsyncDisposable {
  readonly root: string;
  readonly #layout: Layout;
  readonly #adding = new Set<Promise<Image>>();
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

  /**
   * Writes config and manifest, and last of all the name. A name that another image had moves to this one.
   * @throws P2cError `store.incomplete` where a layer is not in the store, `image.moved` where another has the name than
   * the one that it `replaces`.
   */
  addImage(image: NewImage): Promise<Image> {
    const added = this.#add(image);
    this.#adding.add(added);
    return added;
  }

  async #add({ reference, layers, config, artifacts = [], replaces }: NewImage): Promise<Image> {
    const configBlob = await this.#writeDocument(config, MediaType.config);
    const manifest: Manifest = {
      schemaVersion: 2,
      mediaType: MediaType.manifest,
      config: configBlob,
      layers: layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
    };
    const descriptor = await this.#writeDocument(manifest, MediaType.manifest);
    const described: Descriptor[] = [];
    for (const artifact of artifacts) described.push(await this.#writeArtifact(artifact, descriptor));
    await this.#layout.published();
    await using _ = await this.#layout.lock();
    const parts = [descriptor, configBlob, ...layers, ...described, ...artifacts.flatMap((item) => item.layers)];
    await this.#layout.requireBlobs(parts.map(({ digest }) => digest));
    const index = await this.#layout.readIndex();
    const others = index.manifests.filter((item) => nameOf(item) !== reference.name);
    const now = index.manifests.find((item) => nameOf(item) === reference.name)?.digest;
    if (replaces !== undefined && now !== replaces) throw movedImage(reference.name, now);
    const named = { ...descriptor, annotations: { [REF_NAME]: reference.name } };
    const manifests = await withoutOrphans(this.#layout, index.manifests, [...others, named, ...described]);
    await this.#layout.writeIndex({ ...index, manifests });
    return await readImage(this.#layout, named);
  }

  /**
   * By name, with or without tag and `localhost/`; by the digest of the manifest; by three or more digits of the ID.
   * @throws P2cError `image.unknown`, `image.ambiguous`.
   */
  async find(name: string): Promise<Image> {
    const { manifests } = await this.#layout.readIndex();
    const [found] = await descriptorsMeant(this.#layout, manifests, name);
    if (found === undefined) throw unknownImage(this.root, manifests, name);
    const read = await this.#unlessGone(found, async () =>
      (await isImage(this.#layout, found)) ? readImage(this.#layout, found) : 'other',
    );
    if (read === 'other') throw unknownImage(this.root, manifests, name);
    // Its name may have moved to another image: what the index says now counts.
    return read ?? this.find(name);
  }

  /** Every image, the newest first; artifacts are none. */
  async list(): Promise<Image[]> {
    const layout = this.#layout;
    const { manifests } = await layout.readIndex();
    const images: Image[] = [];
    for (const item of manifests) {
      const read = async (): Promise<Image[]> => ((await isImage(layout, item)) ? [await readImage(layout, item)] : []);
      images.push(...((await this.#unlessGone(item, read)) ?? []));
    }
    return images.sort((a, b) => (b.config.created ?? '').localeCompare(a.config.created ?? ''));
  }

  /**
   * The artifacts, of one type or of any, that describe an image, the newest last.
   * @throws P2cError `store.invalid` for a damaged one that is known to be this image's.
   */
  async artifactsOf(image: Image, artifactType?: string): Promise<Manifest[]> {
    return artifactsOf(this.#layout, image.digest, artifactType);
  }

  /**
   * Takes an image and the artifacts that describe it into another layout.
   * @throws P2cError `image.unknown`, `store.invalid`, `store.full`, `export.failed`.
   */
  async copyTo(other: OtherLayout, image: Image, signal: AbortSignal): Promise<void> {
    await using use = await this.read(image);
    await copyImage(this.#layout, image, use.described, other, signal);
  }

  /** Artifacts that cannot be read: whoever asks for those of an image does without them. */
  async damagedArtifacts(): Promise<DamagedArtifact[]> {
    return damagedArtifacts(this.#layout);
  }

  /** All names of the image that this one is. */
  async namesOf(image: Image): Promise<string[]> {
    const { manifests } = await this.#layout.readIndex();
    return manifests.filter(({ digest }) => digest === image.digest).flatMap((item) => nameOf(item) ?? []);
  }

  /**
   * The manifest that `remove` would take away: none, where other names of it stay. The image itself is not read, for it
   * may be damaged.
   * @throws P2cError `image.unknown`, `image.ambiguous`.
   */
  async lostWith(name: string): Promise<Digest | undefined> {
    const { manifests } = await this.#layout.readIndex();
    const found = await descriptorsMeant(this.#layout, manifests, name);
    const left = new Set(manifests.filter((item) => !found.includes(item)).map(({ digest }) => digest));
    return found.map(({ digest }) => digest).find((digest) => !left.has(digest));
  }

  /**
   * Takes a name away, or an image with all its names where it is given by ID or digest. Artifacts that describe what
   * is gone go with it, and so do blobs that nothing needs any more.
   * @throws P2cError `image.unknown`, `image.ambiguous`; `store.uncollected` where the name is gone and the blobs had to
   * stay, for a manifest that is damaged, or of a type that p2c does not know, hides what it needs.
   */
  async remove(name: string): Promise<Removed> {
    await using _ = await this.#layout.lock();
    const index = await this.#layout.readIndex();
    const found = await descriptorsMeant(this.#layout, index.manifests, name);
    const others = index.manifests.filter((item) => !found.includes(item));
    const left = { ...index, manifests: await withoutOrphans(this.#layout, index.manifests, others) };
    await this.#layout.writeIndex(left);
    const untagged = found.flatMap((item) => nameOf(item) ?? []);
    try {
      return { untagged, ...(await this.#collect(left)) };
    } catch (error) {
      throw new P2cError(`'${name}' is removed, but its blobs had to stay in ${this.root}`, {
        code: 'store.uncollected',
        hint: (error instanceof P2cError ? error.hint : undefined) ?? 'it is tried again with the next removal',
        cause: error,
      });
    }
  }

  /**
   * Waits until every blob that was committed, or those of one digest, can be read.
   * @throws P2cError `store.full`, `store.failed`.
   */
  async published(digest?: Digest): Promise<void> {
    await this.#layout.published(digest);
  }

  /**
   * Keeps a blob of this run for the holder, also when this process is gone: it is on the disk when this returns.
   * @throws P2cError `store.full`, `store.failed`.
   */
  async hold(holder: string, digest: Digest): Promise<void> {
    await this.#layout.published(digest);
    await this.#layout.holds.add(holder, digest);
  }

  /** True where the blob that a holder kept is there in its full length. */
  async stillHas(digest: Digest, size: number): Promise<boolean> {
    return (await this.#layout.sizeOf(digest)) === size;
  }

  /** What the holder kept is named by an image now. */
  async letGo(holder: string): Promise<void> {
    await this.#layout.holds.release(holder);
  }

  /**
   * What the holders `group.SOMETHING` kept goes, unless an image or somebody else needs it.
   * @throws P2cError `store.invalid`.
   */
  async release(group: string): Promise<{ removedBlobs: number; bytes: number }> {
    await using _ = await this.#layout.lock();
    await this.#layout.holds.releaseGroup(group);
    return await this.#collect(await this.#layout.readIndex());
  }

  /** What the image needs stays, unpacked or not, until this is disposed of. @throws P2cError `image.unknown`. */
  use(image: Image): Promise<ImageUse> {
    return useImage(this.#layout, image);
  }

  /** The same, for who may be allowed to read and no more: then somebody else can take it away. @throws P2cError `image.unknown`. */
  read(image: Image): Promise<ImageUse> {
    return readImageInUse(this.#layout, image);
  }

  /**
   * @param work is done with the lock held: until its end no image comes or goes, and nobody begins to use one.
   * @throws P2cError `store.invalid`, `store.foreign` where something hides what it needs.
   */
  async locked<Result>(work: (collection: Collection) => Promise<Result>): Promise<Result> {
    await using _ = await this.#layout.lock();
    return await work(await Collection.of(this.#layout, await this.#layout.readIndex()));
  }

  /** What was committed and is part of no image goes, but for what is held. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#wrote) return;
    // An image that is being added is not garbage: `return store.addImage(…)` disposes of the store before it is made.
    await Promise.allSettled(this.#adding);
    await this.#layout.settled();
    await this.#layout.uses.release();
    await using _ = await this.#layout.lock();
    // Where what another image needs is unknown, all stays, and this run is none the worse.
    await this.#collect(await this.#layout.readIndex()).catch((error: unknown) => {
      if (!isUnknownNeed(error)) throw error;
    });
  }

  /**
   * Readers hold no lock: an image that is removed while it is read is not damaged, but gone.
   * @returns undefined where that is so.
   */
  async #unlessGone<Result>(descriptor: Descriptor, read: () => Promise<Result>): Promise<Result | undefined> {
    try {
      return await read();
    } catch (error) {
      const { manifests } = await this.#layout.readIndex();
      if (manifests.some(({ digest }) => digest === descriptor.digest)) throw error;
      return undefined;
    }
  }

  async #writeDocument(document: object, mediaType: string): Promise<Descriptor> {
    await using blob = await this.createBlob();
    await blob.write([Buffer.from(JSON.stringify(document))]);
    return { mediaType, ...(await blob.commit()) };
  }

  async #writeArtifact(artifact: NewArtifact, subject: Descriptor): Promise<Descriptor> {
    const config = await this.#writeDocument(EMPTY_CONFIG.document, EMPTY_CONFIG.mediaType);
    const manifest = artifactManifest(artifact, config, subject);
    const descriptor = await this.#writeDocument(manifest, MediaType.manifest);
    const annotations = { [SUBJECT]: subject.digest };
    return { ...descriptor, artifactType: artifact.artifactType, annotations };
  }

  /** With the lock held. What the index reaches stays, what a live run has noted, and what is held. */
  async #collect(index: Index): Promise<{ removedBlobs: number; bytes: number }> {
    const removed = await (await Collection.of(this.#layout, index)).removeIdle();
    return { removedBlobs: removed.length, bytes: removed.reduce((sum, { bytes }) => sum + bytes, 0) };
  }
}
