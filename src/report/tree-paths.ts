/**
 * The paths of an image together with those of the volumes that were captured beside it, in path order: what a receipt
 * accounts for, and what two captures are compared by.
 */
import { type Descriptor, MediaType } from '../oci/spec.ts';
import type { ImageStore } from '../oci/store.ts';
import type { StoredVolume } from '../oci/volume-artifact.ts';
import { printable } from '../printable.ts';
import { type Found, ImagePaths, order, type PathsInOrder } from './image-paths.ts';

interface Tree {
  /** Undefined for the image. */
  readonly volume: string | undefined;
  /** The lowest first. */
  readonly layers: readonly Descriptor[];
}

/** @param layers of the image, as many as are of interest. @param volumes in path order. */
export function treesOf(layers: readonly Descriptor[], volumes: readonly StoredVolume[]): Tree[] {
  return [{ volume: undefined, layers }, ...volumes.map(({ path, layers: own }) => ({ volume: path, layers: own }))];
}

/** True where all can be read here. */
export function arePlain(trees: readonly Tree[]): boolean {
  return trees.every(({ layers }) => layers.every(({ mediaType }) => mediaType === MediaType.layerTar));
}

/** A path that several trees have, a folder down to a volume, is told once: as the outermost of them has it. */
export class TreePaths implements PathsInOrder, AsyncDisposable {
  readonly #trees: readonly { readonly volume: string | undefined; readonly paths: ImagePaths }[];
  next: Found | undefined;

  private constructor(trees: readonly { readonly volume: string | undefined; readonly paths: ImagePaths }[]) {
    this.#trees = trees;
    this.#settle();
  }

  /** @param fault as `ImagePaths.open` has it. */
  static async open(store: ImageStore, trees: readonly Tree[], fault: (message: string) => void): Promise<TreePaths> {
    const opened: { volume: string | undefined; paths: ImagePaths }[] = [];
    for (const { volume, layers } of trees) {
      const files = layers.map(({ digest }) => store.blobPath(digest));
      const where = volume === undefined ? '' : `volume ${printable(volume)}, `;
      opened.push({ volume, paths: await ImagePaths.open(files, (message) => fault(`${where}${message}`)) });
    }
    return new TreePaths(opened);
  }

  async advance(): Promise<void> {
    const path = this.next?.path;
    for (const { paths } of this.#trees) if (paths.next?.path === path) await paths.advance();
    this.#settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { paths } of this.#trees) await paths[Symbol.asyncDispose]();
  }

  #settle(): void {
    this.next = undefined;
    for (const { volume, paths } of this.#trees) {
      const { next } = paths;
      if (next === undefined || (this.next !== undefined && order(next.path, this.next.path) >= 0)) continue;
      this.next = volume === undefined ? next : { ...next, volume };
    }
  }
}
