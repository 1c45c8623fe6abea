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
}

interface LayerAtHand extends Pick<Found, 'layer' | 'volume'> {
  readonly reader: CaptureLogReader;
  readonly hiding: Hiding;
  readonly complaints: ComplaintLogReader | undefined;
}

/** The logs of all layers, read side by side. */
export class Layers {
  /**
   * So that what a later one has counts: the image's after the volumes', and an outer volume's after an inner one's, for
   * these have the folders down to them too.
   */
  readonly #layers: readonly LayerAtHand[];

  /**
   * @param logs of the image's layers, the lowest first.
   * @param volumes in path order.
   */
  constructor(logs: readonly LayerLog[], volumes: readonly VolumeLogs[]) {
    const inner = [...volumes].reverse();
    this.#layers = [
      ...inner.flatMap((volume) => atHand(volume.logs, bytesOf(volume.path).toString())),
      ...atHand(logs, undefined),
    ];
  }

  /**
   * The topmost layer of the tree that has the path, unless one above it hides that. Paths are asked for in their order.
   */
  find(path: ByteString): { readonly found: Found | undefined; readonly hidden: boolean } {
    let found: Found | undefined;
    let hidden = false;
    for (const { layer, volume, reader, complaints, hiding } of this.#layers) {
      if (hiding.covers(path) && found !== undefined && found.volume === volume) {
        found = undefined;
        hidden = true;
      }
      while (reader.current !== undefined && comparePaths(reader.current.path, path) < 0) reader.next();
      if (reader.current?.path === path)
        found = { layer, volume, captured: reader.current, said: complaints?.of(path) };
    }
    return { found, hidden };
  }

  /** The last that tar said of the path. Paths are asked for in their order. */
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

function atHand(logs: readonly LayerLog[], volume: string | undefined): LayerAtHand[] {
  return logs.map(({ file, complaints, whiteouts }, layer) => ({
    layer,
    volume,
    reader: new CaptureLogReader(file),
    hiding: new Hiding(whiteouts),
    complaints: complaints === undefined ? undefined : new ComplaintLogReader(complaints),
  }));
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
