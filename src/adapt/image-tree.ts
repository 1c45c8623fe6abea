/**
 * An image's root as recipes look at it: what lies where a system keeps its configuration and its init, with the layers
 * laid over each other (image-spec, layer.md). Nothing is unpacked: names come from the layers' headers, and the content
 * of a small file is read from its layer when it is asked for.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { P2cError } from '../errors.ts';
import type { ByteString } from '../printable.ts';
import type { Ownership } from '../tar/header.ts';
import { cleanName } from '../tar/name.ts';
import type { PaxRecord } from '../tar/pax.ts';
import { WHITEOUT_PREFIX } from '../tar/whiteout.ts';
import { type LayerEntry, type LayerFile, layerHeaders } from './layer-headers.ts';

export interface TreeEntry extends Ownership {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Of a symbolic link, as it is stored. */
  readonly target: ByteString;
  readonly attributes: readonly PaxRecord[];
  /** Where a file's content lies. */
  readonly layer: number;
  readonly offset: number;
  readonly size: number;
}

/** What recipes may look at: configuration, init, and the programs that they start. */
const OF_INTEREST =
  /^\/(?:[^/]*|etc\/.*|(?:usr\/)?s?bin\/[^/]+|usr\/[^/]+|(?:usr\/)?lib\/[^/]+|(?:usr\/)?lib\/(?:systemd|init)\/.*|dev\/shm|var|var\/lib|var\/lib\/dbus(?:\/.*)?)$/;
/** A configuration has some thousands. */
const MOST_ENTRIES = 500_000;
/** Recipes edit what people write by hand. */
const LARGEST_FILE = 1024 * 1024;
/** As the kernel's limit, path_resolution(7). */
const MOST_LINKS = 40;
const OPAQUE = '.wh..wh..opq';

/** Whether a tree knows what lies at the path, and around it. */
export function isOfInterest(path: string): boolean {
  return OF_INTEREST.test(path);
}

export class ImageTree {
  readonly #files: readonly string[];
  readonly #entries: ReadonlyMap<ByteString, TreeEntry>;

  private constructor(files: readonly string[], entries: ReadonlyMap<ByteString, TreeEntry>) {
    this.#files = files;
    this.#entries = entries;
  }

  /**
   * @param layers plain tars, the lowest first; where only some entries are to be read, all that are of interest.
   * @throws P2cError `adapt.size` where there is too much of what recipes look at; HeaderError for what is no tar.
   */
  static async read(layers: readonly LayerFile[]): Promise<ImageTree> {
    const overlay = new Overlay();
    for (const [layer, file] of layers.entries()) {
      for await (const batch of layerHeaders(file)) for (const entry of batch) overlay.add(layer, entry);
    }
    const files = layers.map(({ path }) => path);
    return new ImageTree(files, overlay.entries);
  }

  /** What lies at the path itself. */
  at(path: string): TreeEntry | undefined {
    return this.#entries.get(path as ByteString);
  }

  /** The names in a folder, sorted. */
  names(folder: string): string[] {
    const prefix = folder === '/' ? '/' : `${folder}/`;
    const inside = [...this.#entries.keys()].filter((path) => path.startsWith(prefix) && path !== '/');
    return inside
      .map((path) => path.slice(prefix.length))
      .filter((name) => name !== '' && !name.includes('/'))
      .sort();
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

/**
 * Where a path leads within a root, every link followed; undefined where it leads nowhere. The last component need not
 * exist. A link never leaves the root.
 */
export function followLinks(
  at: (path: string) => Pick<TreeEntry, 'kind' | 'target'> | undefined,
  path: string,
): string | undefined {
  let rest = path.split('/').filter((part) => part !== '' && part !== '.');
  let done: string[] = [];
  for (let links = 0; rest.length > 0; ) {
    const [name = '', ...more] = rest;
    rest = more;
    if (name === '..') {
      done = done.slice(0, -1);
      continue;
    }
    const here = `/${[...done, name].join('/')}`;
    const entry = at(here);
    if (entry?.kind === 'symlink') {
      links += 1;
      if (links > MOST_LINKS) return undefined;
      if (entry.target.startsWith('/')) done = [];
      rest = [...entry.target.split('/').filter((part) => part !== '' && part !== '.'), ...rest];
    } else if (rest.length > 0 && entry !== undefined && entry.kind !== 'directory') return undefined;
    else done = [...done, name];
  }
  return `/${done.join('/')}`;
}

/** Lays entry over entry, in the order of the layers. */
class Overlay {
  readonly entries = new Map<ByteString, TreeEntry>();

  add(layer: number, entry: LayerEntry): void {
    const path = cleanName(entry.name);
    const slash = path.lastIndexOf('/') + 1;
    const name = path.slice(slash);
    if (name === OPAQUE) this.#remove(path.slice(0, Math.max(1, slash - 1)), layer, false);
    else if (name.startsWith(WHITEOUT_PREFIX)) {
      this.#remove(path.slice(0, slash) + name.slice(WHITEOUT_PREFIX.length), layer, true);
    } else if (isOfInterest(path)) this.#set(path, layer, entry);
  }

  #set(path: ByteString, layer: number, entry: LayerEntry): void {
    const made = entry.type === '1' ? this.entries.get(cleanName(entry.link)) : treeEntry(layer, entry);
    // A hard link to what is of no interest: its content is not known here.
    if (made === undefined) return;
    if (made.kind !== 'directory' && this.entries.get(path)?.kind === 'directory') this.#remove(path, layer, true);
    this.entries.set(path, made);
    if (this.entries.size <= MOST_ENTRIES) return;
    throw new P2cError(`the image has more than ${MOST_ENTRIES.toLocaleString('en-US')} files of configuration`, {
      code: 'adapt.size',
      hint: 'leave out what is none below /etc with --exclude, or the adaptation with --no-adapt',
    });
  }

  /** What lower layers have there. */
  #remove(path: string, layer: number, itself: boolean): void {
    for (const [other, entry] of this.entries) {
      const hit = other.startsWith(`${path}/`) || (itself && other === path);
      if (hit && entry.layer < layer) this.entries.delete(other);
    }
  }
}

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = {
  '0': 'file',
  '7': 'file',
  '5': 'directory',
  '2': 'symlink',
};

function treeEntry(layer: number, entry: LayerEntry): TreeEntry {
  const { mode, uid, gid, mtime, attributes, offset, size, type, link } = entry;
  const kind = type === '0' && entry.name.endsWith('/') ? 'directory' : (KINDS[type] ?? 'other');
  return { kind, mode, uid, gid, mtime, attributes, layer, offset, size, target: link };
}
