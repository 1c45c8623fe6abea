/** One part of a capture, in the store: its layer, and what the receipt and the report need to know of it. */
import { readFile } from 'node:fs/promises';
import * as z from 'zod';
import { isDigest } from '../oci/digest.ts';
import type { Layer } from '../oci/layer.ts';
import type { LayerLog } from '../report/receipt/layers.ts';
import { KINDS, type StreamAccount } from '../report/stream-account.ts';
import type { Circumstances } from './memory.ts';

export interface CapturedPart {
  readonly layer: Layer;
  readonly log: LayerLog;
  readonly account: StreamAccount;
  /** What is to be fetched again: hard links whose target did not come with them, files that were read in part. */
  readonly again: ReadonlySet<string>;
  /** The first of what was asked for and did not come; of a part that an earlier process captured it is among {@link again}. */
  readonly lost: ReadonlySet<string>;
  /** Of the listing that it was planned of, where an earlier process captured it. */
  readonly listedAt?: number;
}

const digestSchema = z.string().refine(isDigest);
const count = z.number().nonnegative();
const names = z.array(z.string());

const storedSchema = z.object({
  /** Of this file and of those beside it: parts in an older form are captured again. */
  form: z.literal(3),
  layer: z.object({ mediaType: z.string(), digest: digestSchema, diffID: digestSchema, size: count }),
  /** Whether tar said something. */
  complaints: z.boolean(),
  account: z.object({
    entries: count,
    contentBytes: count,
    bytes: count,
    milliseconds: count,
    notAskedFor: count,
    secondEntries: count,
    missing: count,
    missingPaths: names,
    changed: count,
    changedPaths: names,
    problems: names,
    anomalies: z.partialRecord(z.enum(KINDS), count),
  }),
  again: names,
  listedAt: z.number(),
});

/** As a file can hold it; the log and the complaints are files of their own. */
export function storedPart({ layer, log, account, again, lost }: CapturedPart, circumstances: Circumstances): string {
  const stored: z.input<typeof storedSchema> = {
    form: 3,
    layer,
    complaints: log.complaints !== undefined,
    account: {
      ...account,
      missingPaths: [...account.missingPaths],
      changedPaths: [...account.changedPaths],
      problems: [...account.problems],
    },
    // Whoever goes on with the run may have mended what kept it from being read.
    again: [...again, ...lost, ...circumstances.suspects],
    listedAt: circumstances.listedAt,
  };
  return JSON.stringify(stored);
}

/** Where a part is kept. */
export interface PartFiles {
  readonly record: string;
  readonly log: string;
  readonly complaints: string;
}

/** @returns undefined where the files are not there, or are none of this kind: the part is then captured again. */
export async function readStoredPart(files: PartFiles): Promise<CapturedPart | undefined> {
  try {
    const { layer, complaints, account, again, listedAt } = storedSchema.parse(
      JSON.parse(await readFile(files.record, 'utf8')),
    );
    const log = { file: files.log, complaints: complaints ? files.complaints : undefined, whiteouts: [] };
    return { layer, log, account, again: new Set(again), lost: new Set(), listedAt };
  } catch {
    return undefined;
  }
}
