/** Writes a receipt into the store: as the artifact that an image is added with. */
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { NewArtifact } from '../../oci/artifact.ts';
import type { ImageStore } from '../../oci/store.ts';
import {
  encodeLine,
  RECEIPT_LINES_TYPE,
  RECEIPT_TYPE,
  type ReceiptHeader,
  type ReceiptLine,
  VERDICTS,
} from './form.ts';

/** Digests do not shrink, and paths do so at any level. */
const LEVEL = 3;

export async function writeReceipt(
  store: ImageStore,
  header: ReceiptHeader,
  batches: AsyncIterable<readonly ReceiptLine[]>,
): Promise<NewArtifact> {
  await using blob = await store.createBlob();
  const counts = new Map<string, number>();
  await pipeline(text(header, batches, counts), createGzip({ level: LEVEL }), async (packed: AsyncIterable<Buffer>) => {
    for await (const chunk of packed) await blob.write([chunk]);
  });
  const annotations = VERDICTS.map((verdict) => [`io.p2c.receipt.${verdict}`, String(counts.get(verdict) ?? 0)]);
  return {
    artifactType: RECEIPT_TYPE,
    layers: [{ mediaType: RECEIPT_LINES_TYPE, ...(await blob.commit()) }],
    annotations: Object.fromEntries(annotations),
  };
}

async function* text(
  header: ReceiptHeader,
  batches: AsyncIterable<readonly ReceiptLine[]>,
  counts: Map<string, number>,
): AsyncGenerator<string> {
  yield `${JSON.stringify(header)}\n`;
  for await (const lines of batches) {
    const encoded: string[] = [];
    for (const line of lines) {
      encoded.push(encodeLine(line), '\n');
      counts.set(line.verdict, (counts.get(line.verdict) ?? 0) + 1);
    }
    yield encoded.join('');
  }
}
