/** Reads the receipt of an image: a line at a time, whatever its size. */
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import * as z from 'zod';
import { messageOf, P2cError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import type { ImageStore } from '../../oci/store.ts';
import {
  decodeLine,
  headerSchema,
  RECEIPT_LINES_TYPE,
  RECEIPT_TYPE,
  type ReceiptHeader,
  type ReceiptLine,
} from './form.ts';

export interface Receipt {
  readonly header: ReceiptHeader;
  /** Some hundreds at a time, in path order. To be read once. */
  readonly batches: AsyncIterable<readonly ReceiptLine[]>;
}

/** A path has 4096 bytes at most on Linux, six characters each in JSON at worst; the header has all rules. */
const LONGEST_LINE = 4 * 1024 * 1024;

/** @throws P2cError `receipt.none`; `receipt.invalid`, also while its lines are read. */
export async function openReceipt(store: ImageStore, image: Image): Promise<Receipt> {
  const found = (await store.artifactsOf(image, RECEIPT_TYPE)).at(-1);
  const blob = found?.layers.find(({ mediaType }) => mediaType === RECEIPT_LINES_TYPE);
  if (blob === undefined) {
    throw new P2cError(`there is no receipt of ${image.reference ?? image.digest}`, {
      code: 'receipt.none',
      hint: "'p2c migrate' writes one with each image; one that came from elsewhere has none",
    });
  }
  const lines = textLines(store.openBlob(blob.digest));
  const first = await lines.next();
  const header = parsing(1, () => headerSchema.parse(JSON.parse(first.done === true ? '' : (first.value[0] ?? ''))));
  const rest = first.done === true ? [] : first.value.slice(1);
  return { header, batches: batches(rest, lines) };
}

async function* batches(
  rest: readonly string[],
  lines: AsyncIterable<readonly string[]>,
): AsyncGenerator<readonly ReceiptLine[]> {
  let number = 1;
  const decode = (line: string): ReceiptLine => {
    number += 1;
    return parsing(number, () => decodeLine(line));
  };
  yield rest.map(decode);
  for await (const batch of lines) yield batch.map(decode);
}

function parsing<Result>(line: number, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const what = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw invalid(
      `its line ${line} is none of a receipt: ${what.replace(/\s+/g, ' ')}`,
      error instanceof z.ZodError ? undefined : error,
    );
  }
}

function invalid(what: string, cause?: unknown): P2cError {
  return new P2cError(`the receipt cannot be read: ${what}`, {
    code: 'receipt.invalid',
    hint: "'p2c image validate' tells whether the blob is damaged",
    cause,
  });
}

/** The complete lines of each piece that was unpacked. */
async function* textLines(packed: NodeJS.ReadableStream): AsyncGenerator<readonly string[]> {
  const unpacked = createGunzip();
  const unpacking = pipeline(packed, unpacked);
  unpacking.catch(() => {});
  let rest = '';
  const decoder = new TextDecoder('utf-8');
  try {
    for await (const chunk of unpacked) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LONGEST_LINE) throw invalid(`a line has more than ${LONGEST_LINE} characters`);
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    throw error instanceof P2cError ? error : invalid(messageOf(error), error);
  }
  if (rest !== '') throw invalid('it ends in the middle of a line');
}
