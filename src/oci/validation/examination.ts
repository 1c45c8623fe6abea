/** Follows descriptors to the images and artifacts behind them, and judges each. */
import { checkBlob, placeOf, readDescribed } from './blobs.ts';
import {
  CONFIG_TYPE,
  type DescriptorDocument,
  INDEX_TYPE,
  indexDocument,
  indexLinks,
  MANIFEST_TYPE,
  type ManifestDocument,
} from './documents.ts';
import { type Fault, Faults } from './fault.ts';
import { type ExaminedImage, examineImage, type KnownLayers, readManifest } from './image.ts';
import { isGone } from './resolve.ts';
import { examineVolume, isVolume } from './volume.ts';

export interface Verdict extends ExaminedImage {
  readonly images: number;
  /** The first thousand of a kind. */
  readonly faults: readonly Fault[];
  /** How many faults there are. */
  readonly total: number;
}

/** Deep enough for what people nest; a chain of indexes that goes on is a trap. */
const MAX_NESTING = 4;

export class Examination {
  /** Digests of what was taken away while it was examined: nothing is told of it. */
  readonly gone = new Set<string>();
  readonly #root: string;
  readonly #all: Faults;
  /** Of the descriptor that is followed. */
  #faults = new Faults();
  readonly #layers: KnownLayers = new Map();
  /** Manifests with several names are examined once. */
  readonly #seen = new Set<string>();
  #sum = { images: 0, layers: 0, entries: 0, bytes: 0 };

  constructor(root: string, faults: Faults) {
    this.#root = root;
    this.#all = faults;
  }

  async judge(descriptors: readonly DescriptorDocument[]): Promise<Verdict> {
    for (const descriptor of descriptors) await this.#unlessGone(descriptor);
    return { ...this.#sum, faults: this.#all.kept, total: this.#all.total };
  }

  async #unlessGone(descriptor: DescriptorDocument): Promise<void> {
    const before = { ...this.#sum };
    this.#faults = new Faults();
    await this.#follow(descriptor, 0);
    if (this.#faults.ofMissing && (await isGone(this.#root, descriptor.digest))) {
      this.gone.add(descriptor.digest);
      this.#sum = before;
      // What it shares with others was told of as its own.
      this.#seen.clear();
      this.#layers.clear();
    } else this.#all.take(this.#faults);
  }

  async #follow(descriptor: DescriptorDocument, depth: number): Promise<void> {
    const key = `${descriptor.digest} ${descriptor.size} ${descriptor.mediaType}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    if (descriptor.mediaType === MANIFEST_TYPE) return this.#manifest(descriptor);
    if (descriptor.mediaType === INDEX_TYPE) return this.#index(descriptor, depth);
    const where = placeOf('blob', descriptor.digest);
    this.#faults.add('index.media-type', where, `'${descriptor.mediaType}' is neither a manifest nor an index`);
    await checkBlob(this.#root, descriptor, where, this.#faults);
  }

  async #index(descriptor: DescriptorDocument, depth: number): Promise<void> {
    const index = await readDescribed(this.#root, descriptor, [indexDocument, indexLinks], 'index', this.#faults);
    if (index === undefined) return;
    if (depth === MAX_NESTING) {
      const message = `indexes are nested more than ${MAX_NESTING} deep; what is below was not examined`;
      this.#faults.add('index.nesting', placeOf('index', descriptor.digest), message);
      return;
    }
    for (const item of index.manifests) await this.#follow(item, depth + 1);
  }

  async #manifest(descriptor: DescriptorDocument): Promise<void> {
    const manifest = await readManifest(this.#root, descriptor, this.#faults);
    if (manifest === undefined) return;
    if (isVolume(manifest)) {
      const where = placeOf('volume', descriptor.digest);
      return this.#add(await examineVolume(this.#root, where, manifest, this.#faults));
    }
    if (isArtifact(manifest)) return this.#artifact(manifest);
    this.#sum.images += 1;
    this.#add(await examineImage(this.#root, descriptor, manifest, this.#layers, this.#faults));
  }

  #add({ layers, entries, bytes }: ExaminedImage): void {
    this.#sum.layers += layers;
    this.#sum.entries += entries;
    this.#sum.bytes += bytes;
  }

  /** Of an artifact, only that it is whole can be judged. */
  async #artifact(manifest: ManifestDocument): Promise<void> {
    for (const blob of [manifest.config, ...manifest.layers]) {
      await checkBlob(this.#root, blob, placeOf('artifact', blob.digest), this.#faults);
    }
  }
}

/** image-spec, manifest.md, "Guidelines for Artifact Usage". */
function isArtifact({ artifactType, config }: ManifestDocument): boolean {
  return artifactType !== undefined && config.mediaType !== CONFIG_TYPE;
}
