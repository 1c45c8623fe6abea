/**
 * Holds a receipt against the image: what the layers have is found out anew, with the oracle's code and none of the
 * filter's or the writer's, and both are walked side by side in path order. Memory does not grow with the image.
 */
import type { Image } from '../../oci/image.ts';
import { MediaType } from '../../oci/spec.ts';
import type { ImageStore } from '../../oci/store.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import type { ReceiptLine } from './form.ts';
import { hiddenBy, type LayerPath, layerPaths } from './layer-paths.ts';
import type { Receipt } from './read.ts';

export interface ReceiptCheck {
  readonly paths: number;
  /** The first thousand. */
  readonly faults: readonly string[];
  readonly total: number;
}

const KEPT = 1000;
/** As `find` names the types that a tar's flags stand for. */
const TYPES: Readonly<Record<string, string>> = {
  '0': 'f',
  '7': 'f',
  '2': 'l',
  '3': 'c',
  '4': 'b',
  '5': 'd',
  '6': 'p',
};

export async function checkReceipt(store: ImageStore, image: Image, receipt: Receipt): Promise<ReceiptCheck> {
  const check = new Check();
  const digests = image.manifest.layers.map(({ digest }) => digest);
  if (digests.join() !== receipt.header.layers.join()) {
    check.fault(
      `the receipt is of other layers (${receipt.header.layers.length}) than the image's (${digests.length})`,
    );
    return check.result();
  }
  if (image.manifest.layers.some(({ mediaType }) => mediaType !== MediaType.layerTar)) {
    check.fault('the layers are compressed, and a receipt is checked against plain tar');
    return check.result();
  }
  const files = digests.map((digest) => store.blobPath(digest));
  await using layers = new Layers(files, await whiteoutsOf(files), (fault) => check.fault(fault));
  await layers.begin();
  for await (const batch of receipt.batches) for (const line of batch) await check.line(line, layers);
  await check.rest(layers);
  return check.result();
}

class Check {
  readonly #faults: string[] = [];
  #total = 0;
  #paths = 0;
  #last: ByteString | undefined;

  fault(message: string): void {
    this.#total += 1;
    if (this.#faults.length < KEPT) this.#faults.push(message);
  }

  result(): ReceiptCheck {
    return { paths: this.#paths, faults: this.#faults, total: this.#total };
  }

  async line(line: ReceiptLine, layers: Layers): Promise<void> {
    this.#paths += 1;
    if (this.#last !== undefined && order(this.#last, line.path) >= 0) {
      this.fault(`${shown(line.path)} is out of order in the receipt, or there twice`);
      return;
    }
    this.#last = line.path;
    for (let next = layers.next; next !== undefined && order(next.path, line.path) < 0; next = layers.next) {
      this.#unaccounted(next);
      await layers.advance();
    }
    const found = layers.next?.path === line.path ? layers.next : undefined;
    this.#compare(line, found);
    if (found !== undefined) await layers.advance();
  }

  async rest(layers: Layers): Promise<void> {
    for (let next = layers.next; next !== undefined; next = layers.next) {
      this.#unaccounted(next);
      await layers.advance();
    }
  }

  #unaccounted({ path, layer }: Found): void {
    this.fault(`${shown(path)} is in layer ${layer}, and the receipt does not speak of it`);
  }

  #compare(line: ReceiptLine, found: Found | undefined): void {
    const { path, verdict } = line;
    const there = verdict === 'captured' || verdict === 'fixed' || verdict === 'changed';
    if (found === undefined) {
      if (there) this.fault(`${shown(path)} is ${verdict} by the receipt, and no layer has it`);
      return;
    }
    if (!there) {
      this.fault(`${shown(path)} is ${verdict} by the receipt, and layer ${found.layer} has it`);
      return;
    }
    this.#same(path, 'layer', line.layer, found.layer);
    if (found.flag !== '1') this.#same(path, 'type', line.type, TYPES[found.flag]);
    this.#same(path, 'target of the hard link', line.hardLink, found.hardLink);
    this.#same(path, 'digest', line.digest, found.digest);
  }

  #same(path: ByteString, what: string, said: unknown, is: unknown): void {
    if (said !== is) this.fault(`${shown(path)}: its ${what} is ${String(is)}, and ${String(said)} by the receipt`);
  }
}

interface Found extends LayerPath {
  readonly layer: number;
}

/** All layers side by side: of each path the topmost entry, where no whiteout above hides it. */
class Layers implements AsyncDisposable {
  readonly #cursors: readonly LayerCursor[];
  readonly #whiteouts: ReadonlyMap<string, number>;
  next: Found | undefined;

  constructor(files: readonly string[], whiteouts: ReadonlyMap<string, number>, fault: (message: string) => void) {
    this.#cursors = files.map((file, layer) => new LayerCursor(file, (message) => fault(`layer ${layer}: ${message}`)));
    this.#whiteouts = whiteouts;
  }

  async begin(): Promise<void> {
    for (const cursor of this.#cursors) await cursor.next();
    await this.#settle();
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
      if (lowest === undefined || !this.#isHidden(lowest)) return;
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
    if (this.#whiteouts.size === 0) return false;
    for (let at = path.length; at > 0; at = path.lastIndexOf('/', at - 1)) {
      if ((this.#whiteouts.get(path.slice(0, at)) ?? -1) > layer) return true;
    }
    return false;
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

/** What is hidden, and by which layer: the topmost of them. A layer's whiteouts may stand anywhere in it. */
async function whiteoutsOf(files: readonly string[]): Promise<Map<string, number>> {
  const whiteouts = new Map<string, number>();
  for (const [layer, file] of files.entries()) {
    // The lowest layer has nothing to hide.
    if (layer === 0) continue;
    for await (const batch of layerPaths(file, () => {}, false)) {
      for (const entry of batch) {
        const hidden = hiddenBy(entry);
        if (hidden !== undefined) whiteouts.set(hidden, layer);
      }
    }
  }
  return whiteouts;
}

/** By components: what lies in a directory comes right after it. */
function order(a: ByteString, b: ByteString): number {
  const [x, y] = [key(a), key(b)];
  return x < y ? -1 : x > y ? 1 : 0;
}

function key(path: ByteString): string {
  return path === '/' ? '' : path.replaceAll('/', '\0');
}

function shown(path: ByteString): string {
  return `'${printablePath(path)}'`;
}
