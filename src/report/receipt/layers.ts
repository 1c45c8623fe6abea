/** The layers of a capture as a receipt is made of them: by what went into each, path by path. */
import { comparePaths, isBelow } from '../../listing/path.ts';
import { type ByteString, bytesOf } from '../../printable.ts';
import { type Captured, CaptureLogReader } from './capture-log.ts';
import { ComplaintLogReader } from './complaint-log.ts';

/** What is known of one layer beside its bytes. */
export interface LayerLog {
  /** A {@link CaptureLogReader} file. */
  readonly file: string;
  /**
   * What the source's tar said of paths that it could not read, or not wholly: a {@link ComplaintLogReader} file; undefined
   * where it said nothing.
   */
  readonly complaints: string | undefined;
  /** What it hides of the layers below it, in path order. */
  readonly whiteouts: readonly ByteString[];
}

/** Of one volume beside the image. */
export interface VolumeLogs {
  readonly path: ByteString;
  readonly logs: readonly LayerLog[];
}

export interface Found {
  readonly layer: number;
  readonly volume: string | undefined;
  readonly captured: Captured;
  /** What tar said of the path when it made this layer. */
  readonly said: string | undefined;
  /** A layer above this one was to hold the path anew, and lacks it. */
  readonly stale: { readonly said: string | undefined; readonly lost: string } | undefined;
}

/** The logs of all layers, read side by side: paths are asked for in their order, and those on the way passed over. */
export class Layers {
  /**
   * So that what a later one has counts: the image after the volumes, and an outer volume after an inner one, for these
   * have the folders down to them too.
   */
  readonly #trees: readonly Tree[];
  #next: ByteString | undefined;

  /**
   * @param logs of the image's layers, the lowest first.
   * @param volumes in path order.
   */
  constructor(logs: readonly LayerLog[], volumes: readonly VolumeLogs[]) {
    const inner = [...volumes].reverse();
    this.#trees = [
      ...inner.map((volume) => new Tree(volume.logs, bytesOf(volume.path).toString())),
      new Tree(logs, undefined),
    ];
    this.#findNext();
  }

  /** The first path that a layer speaks of, and that was not asked for yet; undefined at the end. */
  get next(): ByteString | undefined {
    return this.#next;
  }

  /** The topmost layer of the tree that has the path, unless one above it hides that. */
  find(path: ByteString): { readonly found: Found | undefined; readonly hidden: boolean } {
    while (this.#next !== undefined && comparePaths(this.#next, path) < 0) this.#take(this.#next);
    return this.#next === path ? this.#take(path) : { found: undefined, hidden: false };
  }

  #take(next: ByteString): ReturnType<Layers['find']> {
    let found: Found | undefined;
    let hidden = false;
    for (const tree of this.#trees) {
      const inTree = tree.find(next);
      found = inTree.found ?? found;
      hidden = inTree.hidden || hidden;
    }
    this.#findNext();
    return { found, hidden: hidden && found === undefined };
  }

  /** The last that tar said of the path. */
  said(path: ByteString): string | undefined {
    return this.#trees.reduce<string | undefined>((said, tree) => tree.said(path) ?? said, undefined);
  }

  close(): void {
    for (const tree of this.#trees) tree.close();
  }

  #findNext(): void {
    this.#next = undefined;
    for (const tree of this.#trees) this.#next = tree.lowest(this.#next);
  }
}

interface LayerAtHand {
  /** Its number, from the lowest. */
  readonly layer: number;
  readonly reader: CaptureLogReader;
  readonly hiding: Hiding;
  readonly complaints: ComplaintLogReader | undefined;
}

/** A path, and the topmost layer that has no directory there or at one of those above: it hides what lower ones have below. */
interface Cover {
  readonly path: ByteString;
  readonly layer: number;
}

/** The layers of the image, or of one volume beside it. */
class Tree {
  readonly #volume: string | undefined;
  readonly #layers: readonly LayerAtHand[];
  /** Of the paths above the current one, outermost first, those that are no directory in some layer. */
  readonly #covers: Cover[] = [];

  constructor(logs: readonly LayerLog[], volume: string | undefined) {
    this.#volume = volume;
    this.#layers = logs.map(({ file, complaints, whiteouts }, layer) => ({
      layer,
      reader: new CaptureLogReader(file),
      hiding: new Hiding(whiteouts),
      complaints: complaints === undefined ? undefined : new ComplaintLogReader(complaints),
    }));
  }

  /** The lower of the path and those that the layers come to next. */
  lowest(path: ByteString | undefined): ByteString | undefined {
    let lowest = path;
    for (const { reader } of this.#layers) {
      const next = reader.current?.path;
      if (next !== undefined && (lowest === undefined || comparePaths(next, lowest) < 0)) lowest = next;
    }
    return lowest;
  }

  /** @param path the one that the layers come to next, or a lower one. */
  find(path: ByteString): ReturnType<Layers['find']> {
    let found: Found | undefined;
    let hidden = false;
    const covered = this.#coveredBelow(path);
    let covers = 0;
    for (const { layer, reader, complaints, hiding } of this.#layers) {
      if (hiding.covers(path) && found !== undefined) {
        found = undefined;
        hidden = true;
      }
      const { current } = reader;
      if (current?.path !== path) continue;
      reader.next();
      const said = complaints?.of(path);
      if (!('lost' in current)) {
        found = { layer, volume: this.#volume, captured: current, said, stale: undefined };
        if (current.type !== 'd') covers = layer;
      } else if (found !== undefined) found = { ...found, stale: { said, lost: current.lost } };
    }
    // The lowest layer has nothing to hide.
    if (covers > 0) this.#covers.push({ path, layer: Math.max(covers, covered) });
    return found !== undefined && found.layer < covered ? { found: undefined, hidden: true } : { found, hidden };
  }

  /** What layers below this one have at the path is hidden: it, or one under it, has no directory there, whatever comes above. */
  #coveredBelow(path: ByteString): number {
    let last = this.#covers.at(-1);
    while (last !== undefined && !isBelow(path, last.path)) {
      this.#covers.pop();
      last = this.#covers.at(-1);
    }
    return last?.layer ?? 0;
  }

  said(path: ByteString): string | undefined {
    let said: string | undefined;
    for (const { complaints } of this.#layers) said = complaints?.of(path) ?? said;
    return said;
  }

  close(): void {
    for (const { reader, complaints } of this.#layers) {
      reader.close();
      complaints?.close();
    }
  }
}

/** Whiteouts beside paths that are asked for in their order. */
class Hiding {
  readonly #whiteouts: readonly ByteString[];
  #next = 0;

  constructor(whiteouts: readonly ByteString[]) {
    this.#whiteouts = whiteouts;
  }

  covers(path: ByteString): boolean {
    for (let next = this.#whiteouts[this.#next]; next !== undefined; next = this.#whiteouts[this.#next]) {
      if (comparePaths(next, path) > 0) break;
      this.#next += 1;
    }
    const last = this.#whiteouts[this.#next - 1];
    return last !== undefined && (last === path || isBelow(path, last));
  }
}
