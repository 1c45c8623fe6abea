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
import { BECAME_LEFT_OUT, MOVING } from './reasons.ts';

/** Digests do not shrink, and paths do so at any level. */
const LEVEL = 3;

export interface WrittenReceipt {
  readonly artifact: NewArtifact;
  readonly counts: Readonly<Record<Verdict, number>>;
  /** The first of the paths that are unreadable, as people see them. */
  readonly unreadable: readonly string[];
  /** How many paths came to be left out while they were captured, and the first of them. */
  readonly leftOutLate: { readonly count: number; readonly examples: readonly string[] };
  /** Paths that are no logs and could not be read, or not all of them; and the first of these. */
  readonly unread: { readonly count: number; readonly examples: readonly string[] };
}

const NAMED = 1000;
const EXAMPLES = 5;

export async function writeReceipt(
  store: ImageStore,
  header: ReceiptHeader,
  batches: AsyncIterable<readonly ReceiptLine[]>,
): Promise<WrittenReceipt> {
  await using blob = await store.createBlob();
  const counts = { captured: 0, fixed: 0, 'left-out': 0, changed: 0, vanished: 0, unreadable: 0 };
  const unreadable: string[] = [];
  const unread = { count: 0, examples: [] as string[] };
  const leftOutLate = { count: 0, examples: [] as string[] };
  await pipeline(
    text(header, count(batches, { counts, unreadable, unread, leftOutLate })),
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
  return { artifact, counts, unreadable, unread, leftOutLate };
}

async function* count(
  batches: AsyncIterable<readonly ReceiptLine[]>,
  { counts, unreadable, unread, leftOutLate }: Counting,
): AsyncGenerator<readonly ReceiptLine[]> {
  for await (const lines of batches) {
    for (const line of lines) {
      counts[line.verdict] += 1;
      if (line.verdict === 'unreadable' && unreadable.length < NAMED) unreadable.push(printablePath(line.path));
      if (line.reason === BECAME_LEFT_OUT) note(leftOutLate, printablePath(line.path), NAMED);
      if (isUnread(line)) note(unread, `${printablePath(line.path)} (${line.reason ?? ''})`, EXAMPLES);
    }
    yield lines;
  }
}

interface Noted {
  count: number;
  readonly examples: string[];
}

function note(noted: Noted, path: string, most: number): void {
  noted.count += 1;
  if (noted.examples.length < most) noted.examples.push(path);
}

interface Counting {
  readonly counts: Record<Verdict, number>;
  readonly unreadable: string[];
  readonly unread: Noted;
  readonly leftOutLate: Noted;
}

/** A log that lacks lines is a pity; anything else that lacks content may keep an application from starting. */
function isUnread({ verdict, reason, class: kind }: ReceiptLine): boolean {
  const readInPart =
    verdict === 'changed' && reason !== undefined && /^(?:Read error|find could not look into it)/.test(reason);
  // What never stood still is told as that.
  return kind !== 'log' && ((verdict === 'unreadable' && reason !== MOVING) || readInPart);
}

async function* text(header: ReceiptHeader, batches: AsyncIterable<readonly ReceiptLine[]>): AsyncGenerator<string> {
  yield `${JSON.stringify(header)}\n`;
  for await (const lines of batches) {
    const encoded: string[] = [];
    for (const line of lines) encoded.push(encodeLine(line), '\n');
    yield encoded.join('');
  }
}
