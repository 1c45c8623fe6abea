/**
 * An image's root as recipes look at it: what lies where a system keeps its configuration and its init, with the layers
 * laid over each other (image-spec, layer.md). Nothing is unpacked: names come from the layers' headers, and the content
 * of a small file is read from its layer when it is asked for.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { ByteString } from '../printable.ts';
import { layerHeaders } from './layer-headers.ts';
import { type Interest, isOfInterest } from './of-interest.ts';
import { Overlay, type TreeEntry } from './overlay.ts';

/** Recipes edit what people write by hand. */
const LARGEST_FILE = 1024 * 1024;

/** Where the entries begin whose paths are wanted, in bytes and in order. */
export type Places = (wanted: (path: string) => boolean) => Iterable<number>;

export interface LayerSource {
  readonly path: string;
  /** Left out where it is not known: then the layer is read from header to header. */
  readonly places?: Places | undefined;
}

export class ImageTree {
  readonly #files: readonly string[];
  readonly #overlay: Overlay;
  /** Whether it knows what lies at a path. */
  readonly isOfInterest: Interest;

  private constructor(files: readonly string[], overlay: Overlay, interest: Interest) {
    this.#files = files;
    this.#overlay = overlay;
    this.isOfInterest = interest;
  }

  /**
   * @param layers plain tars, the lowest first.
   * @throws P2cError `adapt.size` where there is too much of what recipes look at; HeaderError for what is no tar.
   */
  static async read(layers: readonly LayerSource[], interest: Interest = isOfInterest): Promise<ImageTree> {
    const overlay = new Overlay(interest);
    for (const [at, { path, places }] of layers.entries()) {
      overlay.begin(at);
      for await (const batch of layerHeaders({ path, only: places?.(interest) })) {
        for (const entry of batch) overlay.add(entry);
      }
      const { wanted } = overlay;
      if (wanted.size === 0) continue;
      // What a name of interest is a further name of: it came before, and nobody knew yet that it would matter.
      for await (const batch of layerHeaders({ path, only: places?.((each) => wanted.has(each)) })) {
        for (const entry of batch) overlay.resolve(entry);
      }
    }
    const files = layers.map(({ path }) => path);
    return new ImageTree(files, overlay, interest);
  }

  /** What lies at the path itself. */
  at(path: string): TreeEntry | undefined {
    return this.#overlay.at(path);
  }

  /** The names in a folder, sorted. */
  names(folder: string): string[] {
    const prefix = folder === '/' ? '/' : `${folder}/`;
    return [...this.#overlay.names(folder)].filter((name) => this.at(prefix + name) !== undefined).sort();
  }

  /** A file's bytes, one character each; undefined for what is none, or is larger than a configuration. */
  content(path: string): ByteString | undefined {
    const entry = this.at(path);
    const file = this.#files[entry?.layer ?? -1];
    if (entry?.kind !== 'file' || entry.size > LARGEST_FILE || file === undefined) return undefined;
    const fd = openSync(file, 'r');
    try {
      const bytes = Buffer.alloc(entry.size);
      const length = readSync(fd, bytes, 0, entry.size, entry.offset);
      return bytes.toString('latin1', 0, length) as ByteString;
    } finally {
      closeSync(fd);
    }
  }
}
