/**
 * The paths of an image as its layers have them, in path order, read with the oracle's code: what a receipt is checked
 * against, and what two images are compared by. Memory does not grow with the image.
 */
import { type ByteString, printablePath } from '../printable.ts';
import { type Hides, hiddenBy, type LayerPath, layerPaths } from './layer-paths.ts';

export interface Found extends LayerPath {
  /** Counted from the lowest, 0. */
  readonly layer: number;
  /** The volume beside the image whose layer it is. */
  readonly volume?: string;
}

export interface PathsInOrder {
  /** Undefined at the end. */
  readonly next: Found | undefined;
  advance(): Promise<void>;
}

/** All layers side by side: of each path the topmost entry, where no whiteout above hides it. */
export class ImagePaths implements AsyncDisposable {
  readonly #cursors: readonly LayerCursor[];
  readonly #whiteouts: Whiteouts;
  /** Paths of which each lies below the one before, and the layer up to which what lies below them is hidden. */
  readonly #files: { readonly below: string; readonly upTo: number }[] = [];
  next: Found | undefined;

  private constructor(files: readonly string[], whiteouts: Whiteouts, fault: (message: string) => void) {
    this.#cursors = files.map((file, layer) => new LayerCursor(file, (message) => fault(`layer ${layer}: ${message}`)));
    this.#whiteouts = whiteouts;
  }

  /**
   * @param files uncompressed layers, the lowest first.
   * @param fault gets what keeps a layer from being read in path order.
   */
  static async open(files: readonly string[], fault: (message: string) => void): Promise<ImagePaths> {
    const paths = new ImagePaths(files, await Whiteouts.of(files), fault);
    for (const cursor of paths.#cursors) await cursor.next();
    await paths.#settle();
    return paths;
  }

  async advance(): Promise<void> {
    const path = this.next?.path;
    for (const cursor of this.#cursors) if (cursor.current?.path === path) await cursor.next();
    await this.#settle();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const cursor of this.#cursors) await cursor.close();
  }

  async #settle(): Promise<void> {
    for (;;) {
      const lowest = this.#lowest();
      this.next = lowest;
      if (lowest === undefined) return;
      const hidden = this.#isHidden(lowest);
      this.#noteFiles(lowest.path);
      if (!hidden) return;
      for (const cursor of this.#cursors) if (cursor.current?.path === lowest.path) await cursor.next();
    }
  }

  #lowest(): Found | undefined {
    let best: Found | undefined;
    for (const [layer, { current }] of this.#cursors.entries()) {
      if (current !== undefined && (best === undefined || order(current.path, best.path) <= 0))
        best = { ...current, layer };
    }
    return best;
  }

  #isHidden({ path, layer }: Found): boolean {
    while (this.#files.length > 0 && !path.startsWith(this.#files.at(-1)?.below ?? '')) this.#files.pop();
    return this.#files.some(({ upTo }) => layer < upTo) || this.#whiteouts.cover(path, layer);
  }

  /** What is no directory in one layer hides what those under it have below the path, also where a directory lies above it again. */
  #noteFiles(path: ByteString): void {
    const upTo = this.#cursors.findLastIndex(({ current }) => current?.path === path && current.flag !== '5');
    if (upTo > 0) this.#files.push({ below: `${path}/`, upTo });
  }
}

/** One layer, a path at a time; whiteouts are passed over. */
class LayerCursor {
  readonly #batches: AsyncGenerator<readonly LayerPath[]>;
  readonly #fault: (message: string) => void;
  #batch: readonly LayerPath[] = [];
  #at = -1;
  current: LayerPath | undefined;

  constructor(file: string, fault: (message: string) => void) {
    this.#batches = layerPaths(file, fault);
    this.#fault = fault;
  }

  async next(): Promise<void> {
    const last = this.current?.path;
    do this.#at += 1;
    while (this.#at < this.#batch.length && this.#isWhiteout());
    while (this.#at >= this.#batch.length) {
      const result = await this.#batches.next();
      if (result.done === true) {
        this.current = undefined;
        return;
      }
      this.#batch = result.value;
      this.#at = 0;
      while (this.#at < this.#batch.length && this.#isWhiteout()) this.#at += 1;
    }
    this.current = this.#batch[this.#at];
    if (last !== undefined && this.current !== undefined && order(last, this.current.path) >= 0) {
      this.#fault(`${shown(this.current.path)} is not in path order, as p2c's layers are`);
    }
  }

  async close(): Promise<void> {
    await this.#batches.return(undefined);
  }

  #isWhiteout(): boolean {
    const entry = this.#batch[this.#at];
    return entry !== undefined && hiddenBy(entry) !== undefined;
  }
}

/** What whiteouts hide, and the topmost layer that says so: what lies in lower ones is hidden. */
class Whiteouts {
  readonly #whole = new Map<string, number>();
  /** Folders whose content alone is hidden; the root is ''. */
  readonly #contents = new Map<string, number>();

  /** A layer's whiteouts may stand anywhere in it: all are read first. */
  static async of(files: readonly string[]): Promise<Whiteouts> {
    const whiteouts = new Whiteouts();
    for (const [layer, file] of files.entries()) {
      // The lowest layer has nothing to hide.
      if (layer === 0) continue;
      for await (const batch of layerPaths(file, () => {}, false)) {
        for (const entry of batch) whiteouts.#add(layer, hiddenBy(entry));
      }
    }
    return whiteouts;
  }

  cover(path: ByteString, layer: number): boolean {
    if (this.#whole.size + this.#contents.size === 0) return false;
    for (let at = path.length; at > 0; ) {
      if ((this.#whole.get(path.slice(0, at)) ?? -1) > layer) return true;
      at = path.lastIndexOf('/', at - 1);
      if (path !== '/' && (this.#contents.get(path.slice(0, at)) ?? -1) > layer) return true;
    }
    return false;
  }

  #add(layer: number, hides: Hides | undefined): void {
    if (hides === undefined) return;
    const { path, contentOnly } = hides;
    if (contentOnly) this.#contents.set(path === '/' ? '' : path, layer);
    else this.#whole.set(path, layer);
  }
}

/** By components: what lies in a directory comes right after it. */
export function order(a: ByteString, b: ByteString): number {
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function key(path: ByteString): string {
  return path === '/' ? '' : path.replaceAll('/', '\0');
}

function shown(path: ByteString): string {
  return `'${printablePath(path)}'`;
}
