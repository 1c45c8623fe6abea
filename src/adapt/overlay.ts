/** Layers laid over each other, entry by entry: what is of interest in them stays (image-spec, layer.md, "Whiteouts"). */
import { posix } from 'node:path';
import { P2cError } from '../errors.ts';
import type { ByteString } from '../printable.ts';
import type { Ownership } from '../tar/header.ts';
import { cleanName } from '../tar/name.ts';
import type { PaxRecord } from '../tar/pax.ts';
import { WHITEOUT_PREFIX } from '../tar/whiteout.ts';
import type { LayerEntry } from './layer-headers.ts';
import { type Interest, isOfInterest } from './of-interest.ts';

export interface TreeEntry extends Ownership {
  /** `unknown`: a further name of a file that no layer was seen to have. */
  readonly kind: 'file' | 'directory' | 'symlink' | 'other' | 'unknown';
  /** Of a symbolic link, as it is stored; of what is unknown, the file's first name. */
  readonly target: ByteString;
  readonly attributes: readonly PaxRecord[];
  /** Which layer has the name. */
  readonly named: number;
  /** Where a file's content lies. */
  readonly layer: number;
  readonly offset: number;
  readonly size: number;
}

/** A configuration has some thousands. */
const MOST_ENTRIES = 500_000;
const OPAQUE = '.wh..wh..opq';

/** Lays entry over entry, in the order of the layers. */
export class Overlay {
  readonly #entries = new Map<string, TreeEntry>();
  /** The names in each folder that is or was of interest: a whiteout looks at what it hides, and not at everything. */
  readonly #names = new Map<string, Set<string>>();
  #layer = 0;
  /** Folders in which nothing of the layers below is left: a layer that hides them time and again takes no longer. */
  readonly #cleared = new Set<string>();
  /** By the first name of a file of which nothing is known yet, the further ones. */
  readonly #waiting = new Map<string, string[]>();
  readonly #isOfInterest: Interest;

  constructor(interest: Interest = isOfInterest) {
    this.#isOfInterest = interest;
  }

  at(path: string): TreeEntry | undefined {
    return this.#entries.get(path);
  }

  names(folder: string): Iterable<string> {
    return this.#names.get(folder) ?? [];
  }

  /** What is added from now on lies above all that there is. */
  begin(layer: number): void {
    this.#layer = layer;
    this.#cleared.clear();
    this.#waiting.clear();
  }

  /** @throws P2cError `adapt.size`. */
  add(entry: LayerEntry): void {
    const path = cleanName(entry.name);
    const slash = path.lastIndexOf('/') + 1;
    const name = path.slice(slash);
    if (name === OPAQUE) this.#clear(path.slice(0, Math.max(1, slash - 1)));
    else if (name.startsWith(WHITEOUT_PREFIX)) this.#hide(path.slice(0, slash) + name.slice(WHITEOUT_PREFIX.length));
    else if (this.#isOfInterest(path)) this.#set(path, entry);
  }

  /** The first names of files of this layer that have further ones of interest, and are of none themselves. */
  get wanted(): ReadonlySet<string> {
    return new Set(this.#waiting.keys());
  }

  /** Takes what is one of those for what all its names stand for. */
  resolve(entry: LayerEntry): void {
    const target = cleanName(entry.name);
    for (const path of entry.type === '1' ? [] : (this.#waiting.get(target) ?? [])) {
      const waiting = this.#entries.get(path);
      if (waiting?.kind === 'unknown' && waiting.target === target) this.#entries.set(path, this.#entry(entry));
    }
  }

  #set(path: string, entry: LayerEntry): void {
    const made = entry.type === '1' ? this.#linked(entry) : this.#entry(entry);
    if (made.kind !== 'directory' && this.#entries.get(path)?.kind === 'directory') this.#hide(path);
    this.#entries.set(path, made);
    if (made.kind === 'unknown') this.#await(made.target, path);
    this.#note(path);
    if (this.#entries.size <= MOST_ENTRIES) return;
    throw new P2cError(`the image has more than ${MOST_ENTRIES.toLocaleString('en-US')} files of configuration`, {
      code: 'adapt.size',
      hint: 'leave out what is none below /etc with --exclude, or the adaptation with --no-adapt',
    });
  }

  #entry(entry: LayerEntry): TreeEntry {
    const { mode, uid, gid, mtime, attributes, offset, size, type, link } = entry;
    const kind = type === '0' && entry.name.endsWith('/') ? 'directory' : (KINDS[type] ?? 'other');
    const layer = this.#layer;
    return { kind, mode, uid, gid, mtime, attributes, named: layer, layer, offset, size, target: link };
  }

  #linked(entry: LayerEntry): TreeEntry {
    const target = cleanName(entry.link);
    const first = this.#entries.get(target);
    if (first !== undefined) return { ...first, named: this.#layer };
    return { ...this.#entry(entry), kind: 'unknown', target };
  }

  #await(target: string, path: string): void {
    const paths = this.#waiting.get(target);
    if (paths === undefined) this.#waiting.set(target, [path]);
    else paths.push(path);
  }

  /** In every folder above: of one that is there already, those above know. */
  #note(path: string): void {
    for (let at = path; at !== '/'; at = posix.dirname(at)) {
      const folder = posix.dirname(at);
      const names = this.#names.get(folder);
      names?.add(posix.basename(at));
      if (names !== undefined) return;
      this.#names.set(folder, new Set([posix.basename(at)]));
    }
  }

  /** What lower layers have at the path and in it. */
  #hide(path: string): void {
    this.#drop(path);
    this.#clear(path);
  }

  #drop(path: string): void {
    const there = this.#entries.get(path);
    if (there !== undefined && there.named < this.#layer) this.#entries.delete(path);
  }

  /** What lower layers have in the folder. */
  #clear(folder: string): void {
    const folders = [folder];
    for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
      const names = this.#names.get(at);
      if (names === undefined || this.#cleared.has(at)) continue;
      this.#cleared.add(at);
      for (const name of names) {
        const path = `${at === '/' ? '' : at}/${name}`;
        this.#drop(path);
        if (this.#names.has(path)) folders.push(path);
        else if (!this.#entries.has(path)) names.delete(name);
      }
    }
  }
}

const KINDS: Readonly<Record<string, TreeEntry['kind']>> = {
  '0': 'file',
  '7': 'file',
  '5': 'directory',
  '2': 'symlink',
};
