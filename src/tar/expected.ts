/**
 * What a stream is compared with. Both the stream and the list of wanted paths are in one order, so comparing them takes
 * a cursor and no table of names.
 */
import { comparePaths, isBelow } from '../listing/path.ts';
import type { ByteString } from '../printable.ts';
import type { AnomalyKind } from './anomaly.ts';
import { emptyFile, type MadeAttributes } from './made-entry.ts';
import { cleanName } from './name.ts';
import { WHITEOUT_PREFIX } from './whiteout.ts';

export interface WantedPath {
  readonly path: ByteString;
  /** True where other names share the inode: a later one may come as a hard link to this one. */
  readonly hardLinked: boolean;
  /** Not in the stream: an empty file with these attributes is made in its place. */
  readonly made?: MadeAttributes | undefined;
}

/** In the stream's order. */
export interface WantedPaths {
  next(): WantedPath | undefined;
}

export interface ExpectedListener {
  tell(kind: AnomalyKind, path: ByteString): void;
  /** A wanted path that came in a form that no importer takes: to be fetched again. */
  again(path: ByteString): void;
  /** A file that is not in the stream, to be handed on here. */
  made(path: ByteString, blocks: Buffer): void;
}

export class Expected {
  readonly #wanted: WantedPaths;
  readonly #listener: ExpectedListener;
  #current: WantedPath | undefined;
  #last: ByteString | undefined;
  /** The last wanted path that is no directory in the stream: it did not come, or as something else. */
  #closed: ByteString | undefined;
  #hardLinked = false;
  /** Delivered first names of inodes with several: what a hard link may point to. */
  readonly #linkTargets = new Set<string>();

  constructor(wanted: WantedPaths, listener: ExpectedListener) {
    this.#wanted = wanted;
    this.#listener = listener;
    this.#current = wanted.next();
  }

  /** The last path that was wanted and came. */
  get last(): ByteString | undefined {
    return this.#last;
  }

  /** Whether other names share the inode of that path. */
  get hardLinked(): boolean {
    return this.#hardLinked;
  }

  /** Moves to the entry's path; what is passed on the way did not come. @returns whether the entry is to be handed on. */
  admits(path: ByteString, type: string, linkName: ByteString): boolean {
    this.#moveTo(path);
    const current = this.#current;
    if (current === undefined || current.path !== path) {
      this.#listener.tell(this.#last === path ? 'second entry' : 'not asked for', path);
      return false;
    }
    this.#current = this.#wanted.next();
    this.#last = path;
    this.#hardLinked = current.hardLinked;
    // The source's tar went through whatever stood there meanwhile: a link leads to other files, left out ones too.
    if (this.#closed !== undefined && isBelow(path, this.#closed)) {
      this.#listener.tell('below what is no directory', path);
      this.#listener.again(path);
      return false;
    }
    if (type !== '5') this.#closed = path;
    if (path.includes(`/${WHITEOUT_PREFIX}`)) {
      this.#listener.tell('whiteout name', path);
      return false;
    }
    if (type === '1' && !this.#linkTargets.has(cleanName(linkName))) {
      this.#listener.tell('hard link without its target', path);
      this.#listener.again(path);
      return false;
    }
    if (current.hardLinked && type !== '1') this.#linkTargets.add(path);
    return true;
  }

  /** The stream has ended: what is still wanted did not come. */
  end(): void {
    for (; this.#current !== undefined; this.#current = this.#wanted.next()) this.#pass(this.#current);
  }

  #moveTo(path: ByteString): void {
    while (this.#current !== undefined) {
      const order = comparePaths(this.#current.path, path);
      // A tar that sends what is made here was not asked for it.
      if (order > 0 || (order === 0 && this.#current.made === undefined)) return;
      this.#pass(this.#current);
      this.#current = this.#wanted.next();
    }
  }

  #pass({ path, made }: WantedPath): void {
    if (made === undefined) {
      if (this.#closed === undefined || !isBelow(path, this.#closed)) this.#closed = path;
      this.#listener.tell('not delivered', path);
      return;
    }
    this.#last = path;
    this.#listener.tell('recreated empty', path);
    this.#listener.made(path, emptyFile(path, made));
  }
}
