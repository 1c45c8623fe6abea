/**
 * Holds a receipt against the image: what the layers have is found out anew, with the oracle's code and none of the
 * filter's or the writer's, and both are walked side by side in path order. Memory does not grow with the image.
 */
import { P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import type { Descriptor } from '../../oci/spec.ts';
import type { ImageStore } from '../../oci/store.ts';
import { type StoredVolume, volumesOf } from '../../oci/volume-artifact.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { type Found, order, type PathsInOrder } from '../image-paths.ts';
import { arePlain, TreePaths, treesOf } from '../tree-paths.ts';
import { checkChain } from './chain.ts';
import type { ReceiptHeader, ReceiptLine } from './form.ts';
import { openReceipt } from './read.ts';

export interface ReceiptCheck {
  readonly paths: number;
  /** The first thousand. */
  readonly faults: readonly string[];
  readonly total: number;
  /** Number of the layer that is p2c's own: its bytes are checked, and no line speaks of its paths. */
  readonly ownLayer: number | undefined;
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

/** @throws P2cError `receipt.none`. */
export async function checkReceipt(store: ImageStore, image: Image): Promise<ReceiptCheck> {
  const check = new Check();
  // Also bytes that no line speaks of, attributes and padding, and the receipt's own, are those that were written.
  const chain = await checkChain(store.root, image.digest);
  for (const { where, message } of chain.kept) check.fault(`${where}: ${message}`);
  if (chain.kept.some(({ code }) => code === 'blob.missing' || code === 'blob.unreadable')) return check.result();
  try {
    await checkLines(store, image, check);
  } catch (error) {
    if (!(error instanceof P2cError) || (error.code === 'receipt.none' && chain.total === 0)) throw error;
    check.fault(error.message);
  }
  return check.result();
}

async function checkLines(store: ImageStore, image: Image, check: Check): Promise<void> {
  const receipt = await openReceipt(store, image);
  const { layers, ownLayer } = layersOf(image, receipt.header);
  check.ownLayer = ownLayer;
  const digests = layers.map(({ digest }) => digest);
  if (digests.join() !== receipt.header.layers.join()) {
    check.fault(
      `the receipt is of other layers (${receipt.header.layers.length}) than the image's (${digests.length})`,
    );
    return;
  }
  const volumes = await volumesOf(store, image);
  if (wordedStored(volumes) !== worded(receipt.header.volumes ?? [])) {
    check.fault('the receipt is of other volumes than those that are stored beside the image');
    return;
  }
  const trees = treesOf(layers, volumes);
  if (!arePlain(trees)) {
    check.fault('the layers are compressed, and a receipt is checked against plain tar');
    return;
  }
  await using paths = await TreePaths.open(store, trees, (fault) => check.fault(fault));
  for await (const batch of receipt.batches) for (const line of batch) await check.line(line, paths);
  await check.rest(paths);
}

/**
 * The receipt is about what came from the source. What p2c changed lies in one layer above, which the history tells: no
 * other may lie there.
 */
function layersOf(
  { manifest, config }: Image,
  header: ReceiptHeader,
): { readonly layers: readonly Descriptor[]; readonly ownLayer: number | undefined } {
  const last = (config.history ?? []).filter((entry) => entry.empty_layer !== true).at(-1);
  const isAdapted = manifest.layers.length === header.layers.length + 1 && last?.created_by?.startsWith('p2c adapt');
  if (isAdapted !== true) return { layers: manifest.layers, ownLayer: undefined };
  return { layers: manifest.layers.slice(0, -1), ownLayer: manifest.layers.length - 1 };
}

function wordedStored(volumes: readonly StoredVolume[]): string {
  return worded(volumes.map(({ path, layers }) => ({ path, layers: layers.map(({ digest }) => digest) })));
}

function worded(volumes: NonNullable<ReceiptHeader['volumes']>): string {
  return JSON.stringify(volumes.map(({ path, layers }) => [path, layers]));
}

class Check {
  readonly #faults: string[] = [];
  #total = 0;
  #paths = 0;
  #last: ByteString | undefined;
  ownLayer: number | undefined;

  fault(message: string): void {
    this.#total += 1;
    if (this.#faults.length < KEPT) this.#faults.push(message);
  }

  result(): ReceiptCheck {
    return { paths: this.#paths, faults: this.#faults, total: this.#total, ownLayer: this.ownLayer };
  }

  async line(line: ReceiptLine, layers: PathsInOrder): Promise<void> {
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

  async rest(layers: PathsInOrder): Promise<void> {
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
    this.#same(path, 'volume', line.volume, found.volume);
    this.#same(path, 'layer', line.layer, found.layer);
    if (found.flag !== '1') this.#same(path, 'type', line.type, TYPES[found.flag]);
    this.#same(path, 'target of the hard link', line.hardLink, found.hardLink);
    this.#same(path, 'digest', line.digest, found.digest);
  }

  #same(path: ByteString, what: string, said: unknown, is: unknown): void {
    if (said !== is) this.fault(`${shown(path)}: its ${what} is ${String(is)}, and ${String(said)} by the receipt`);
  }
}

function shown(path: ByteString): string {
  return `'${printablePath(path)}'`;
}
