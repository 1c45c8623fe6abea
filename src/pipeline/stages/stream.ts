/** Streams the parts of a plan into layers: the source's tar, the raw filter, a blob that is hashed while it is written. */
import pLimit from 'p-limit';
import type { Part } from '../../listing/part.ts';
import type { CapturePlan } from '../../listing/plan.ts';
import type { SparsePolicy } from '../../listing/rules.ts';
import type { Layer } from '../../oci/layer.ts';
import type { ImageStore } from '../../oci/store.ts';
import { Progress } from '../../report/progress.ts';
import type { LayerLog } from '../../report/receipt/layers.ts';
import { AnomalyAccount, addAccounts, type StreamAccount } from '../../report/stream-account.ts';
import { formatBytes, formatDuration, formatRate } from '../../report/units.ts';
import type { SourceFacts } from '../../source/facts.ts';
import { restlessPaths } from '../../source/filesystems.ts';
import type { Session } from '../../ssh/session.ts';
import type { Wire } from '../../ssh/wire.ts';
import { allOrNone } from '../all-or-none.ts';
import type { CapturedPart } from '../captured-part.ts';
import type { PartMemory } from '../memory.ts';
import { retrying } from '../retry.ts';
import type { Tell } from '../stage.ts';
import { type BesideStream, losesAttributes, readAttributes } from './attributes.ts';
import type { ScannedListing } from './list.ts';
import { capturePart, type PartCapture } from './part.ts';
import { type VolumeStep, volumeSteps } from './volumes.ts';

/** Between two lines about the progress. */
const TELL_MS = 50;

export interface CapturedLayers {
  /** Of the image. */
  readonly layers: readonly Layer[];
  /** What went into each, for the receipt. */
  readonly logs: readonly LayerLog[];
  /** What is stored beside the image. */
  readonly beside: readonly VolumeStep[];
  /** What is to be fetched again: see {@link CapturedPart}. */
  readonly again: ReadonlySet<string>;
  /** The first of what was asked for and did not come. */
  readonly lost: ReadonlySet<string>;
  readonly account: StreamAccount;
  /** When the oldest listing was begun that a part of an earlier process is of. */
  readonly listedAt: number | undefined;
  /** Of the parts, those that an earlier process captured. */
  readonly kept: { readonly parts: number; readonly bytes: number };
}

export interface StreamInput {
  readonly session: Session;
  readonly facts: SourceFacts;
  /** What listed the source. */
  readonly scanned: Pick<ScannedListing, 'starts' | 'places'>;
  readonly store: ImageStore;
  /** How the parts travel. */
  readonly wire: Wire;
  /** Parts captured at once: with two, one reads its disk while the other waits for the network. */
  readonly streams: number;
  readonly sparse: SparsePolicy;
  /** How often a part is tried again. */
  readonly retries: number;
  /** For a line about a part that failed. */
  readonly note: Tell;
  readonly signal: AbortSignal;
  /** Of parts that were captured before. Deltas have none: they are made anew. */
  readonly memory?: PartMemory;
}

/**
 * The layers are in the plan's order, whichever part arrives first.
 * @throws P2cError where a part could not be captured whole; the other parts are then given up.
 */
export async function streamParts(input: StreamInput, plan: CapturePlan, tell: Tell): Promise<CapturedLayers> {
  const progress = new Progress(plan.tarBytes);
  const started = performance.now();
  const restless = restlessPaths(input.facts.filesystems, input.scanned);
  let told = Number.NEGATIVE_INFINITY;
  const onBytes = (bytes: number): void => {
    progress.add(bytes);
    // Bytes come some ten thousand times a second, and nobody sees as many lines.
    const now = performance.now();
    if (now - told < TELL_MS) return;
    told = now;
    tell(progress.toString(), progress.share);
  };
  const failed = new AbortController();
  const signal = AbortSignal.any([input.signal, failed.signal]);
  const limit = pLimit(input.streams);
  const beside = await readAttributes({ ...input, starts: input.scanned.starts });
  const capture = { ...input, restless, beside, onBytes, signal };
  const parts = await allOrNone(
    plan.parts.map((part) => limit(() => keptOrCaptured(capture, part, plan))),
    (error) => failed.abort(error),
  );
  const accounts = [...parts.map((part) => part.account), accountOf(input.facts, beside)];
  const kept = parts.filter(({ listedAt }) => listedAt !== undefined);
  const ofImage = parts.filter((_, at) => plan.parts[at]?.volume === undefined);
  return {
    layers: ofImage.map(({ layer }) => layer),
    logs: ofImage.map(({ log }) => log),
    beside: volumeSteps(plan, parts),
    again: new Set(parts.flatMap((part) => [...part.again])),
    lost: new Set(parts.flatMap((part) => [...part.lost])),
    account: { ...addAccounts(accounts), milliseconds: performance.now() - started },
    listedAt: kept.length === 0 ? undefined : Math.min(...kept.map((part) => part.listedAt ?? 0)),
    kept: { parts: kept.length, bytes: kept.reduce((sum, { layer }) => sum + layer.size, 0) },
  };
}

async function keptOrCaptured(
  input: StreamInput & Omit<PartCapture, 'part'>,
  part: Part,
  plan: CapturePlan,
): Promise<CapturedPart> {
  const { memory, signal, onBytes } = input;
  signal.throwIfAborted();
  const kept = await memory?.recall(part, plan.parts.length);
  if (kept !== undefined) {
    onBytes(kept.layer.size);
    return kept;
  }
  const captured = await retrying(partName(part, plan), input, () => capturePart({ ...input, part }));
  memory?.remember(part, plan.parts.length, captured);
  return captured;
}

/** What is lost of extended attributes: the image has the files, and not all that belongs to them. */
function accountOf(facts: SourceFacts, { problems }: BesideStream): StreamAccount {
  const account = new AnomalyAccount(new Set());
  const lost = losesAttributes(facts) ? ["this source's programs cannot read all extended attributes"] : [];
  account.attributes([...lost, ...problems]);
  return account.close(0);
}

function partName({ index }: Part, { parts }: CapturePlan): string {
  return `part ${index + 1} of ${parts.length}`;
}

/** The stage's last line. */
export function describeCapture({ account }: CapturedLayers): string {
  const took = formatDuration(account.milliseconds);
  return `${formatBytes(account.bytes)} in ${took}, ${formatRate(account.bytes, account.milliseconds)}`;
}
