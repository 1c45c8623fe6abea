/** Writes a receipt into the store: as the artifact that an image is added with. */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { NewArtifact } from '../../oci/artifact.ts';
import type { ImageStore } from '../../oci/store.ts';
import { printablePath } from '../../printable.ts';
import {
  encodeLine,
  RECEIPT_LINES_TYPE,
  RECEIPT_TYPE,
  type ReceiptHeader,
  type ReceiptLine,
  VERDICTS,
  type Verdict,
} from './form.ts';

/** Digests do not shrink, and paths do so at any level. */
const LEVEL = 3;

export interface WrittenReceipt {
  readonly artifact: NewArtifact;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The first of the paths that are unreadable, as people see them. */
  readonly unreadable: readonly string[];
}

const NAMED = 1000;

export async function writeReceipt(
  store: ImageStore,
  header: ReceiptHeader,
  batches: AsyncIterable<readonly ReceiptLine[]>,
): Promise<WrittenReceipt> {
  await using blob = await store.createBlob();
  const counts = { captured: 0, fixed: 0, 'left-out': 0, changed: 0, vanished: 0, unreadable: 0 };
  const unreadable: string[] = [];
  await pipeline(
    text(header, count(batches, counts, unreadable)),
    createGzip({ level: LEVEL }),
    async (packed: AsyncIterable<Buffer>) => {
      for await (const chunk of packed) await blob.write([chunk]);
    },
  );
  const annotations = VERDICTS.map((verdict) => [`io.p2c.receipt.${verdict}`, String(counts[verdict])]);
  const artifact = {
    artifactType: RECEIPT_TYPE,
    layers: [{ mediaType: RECEIPT_LINES_TYPE, ...(await blob.commit()) }],
    annotations: Object.fromEntries(annotations),
  };
  return { artifact, counts, unreadable };
}

async function* count(
  batches: AsyncIterable<readonly ReceiptLine[]>,
  counts: Record<Verdict, number>,
  unreadable: string[],
): AsyncGenerator<readonly ReceiptLine[]> {
  for await (const lines of batches) {
    for (const { verdict, path } of lines) {
      counts[verdict] += 1;
      if (verdict === 'unreadable' && unreadable.length < NAMED) unreadable.push(printablePath(path));
    }
    yield lines;
  }
}

async function* text(header: ReceiptHeader, batches: AsyncIterable<readonly ReceiptLine[]>): AsyncGenerator<string> {
  yield `${JSON.stringify(header)}\n`;
  for await (const lines of batches) {
    const encoded: string[] = [];
    for (const line of lines) encoded.push(encodeLine(line), '\n');
    yield encoded.join('');
  }
}
