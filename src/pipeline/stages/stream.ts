/** Streams the parts of a plan into layers: the source's tar, the raw filter, a blob that is hashed while it is written. */
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import type { Part } from '../../listing/part.ts';
import { PathListReader, tarNames } from '../../listing/path-list.ts';
import type { CapturePlan } from '../../listing/plan.ts';
import type { SparsePolicy } from '../../listing/rules.ts';
import type { Layer } from '../../oci/layer.ts';
import { MediaType } from '../../oci/spec.ts';
import type { ImageStore } from '../../oci/store.ts';
import { Progress } from '../../report/progress.ts';
import { CaptureLogWriter } from '../../report/receipt/capture-log.ts';
import type { LayerLog } from '../../report/receipt/layers.ts';
import { AnomalyAccount, addAccounts, type StreamAccount } from '../../report/stream-account.ts';
import { formatBytes, formatDuration, formatRate } from '../../report/units.ts';
import type { SourceFacts } from '../../source/facts.ts';
import { restlessPaths } from '../../source/filesystems.ts';
import type { SourceTools } from '../../source/tools.ts';
import type { CommandResult, RemoteCommand, Session } from '../../ssh/session.ts';
import { over, type Wire } from '../../ssh/wire.ts';
import { TarFilter } from '../../tar/filter.ts';
import { complaintOf, isReadInPart, TarMessages } from '../../tar/messages.ts';
import { remoteTarScript } from '../../tar/remote-tar.ts';
import { whiteout } from '../../tar/whiteout.ts';
import type { CapturedPart } from '../captured-part.ts';
import type { PartMemory } from '../memory.ts';
import { retrying } from '../retry.ts';
import type { Tell } from '../stage.ts';
import { type BesideStream, losesAttributes, readAttributes } from './attributes.ts';
import type { ScannedListing } from './list.ts';
import { type VolumeStep, volumeSteps } from './volumes.ts';

export interface CapturedLayers {
  /** Of the image. */
  readonly layers: readonly Layer[];
  /** What went into each, for the receipt. */
  readonly logs: readonly LayerLog[];
  /** What is stored beside the image. */
  readonly beside: readonly VolumeStep[];
  /** What is to be fetched again: see {@link CapturedPart}. */
  readonly again: ReadonlySet<string>;
  readonly account: StreamAccount;
  /** When the oldest listing was begun that a part of an earlier process is of. */
  readonly listedAt: number | undefined;
  /** Of the parts, those that an earlier process captured. */
  readonly kept: { readonly parts: number; readonly bytes: number };
}

/** tar is silent while it reads through the holes of a sparse file; a disk that answers nothing for longer is dead. */
const SILENCE_MS = 600_000;

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
  const onBytes = (bytes: number): void => {
    progress.add(bytes);
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

/** Zeros stand in the place of what could not be read: perhaps it can be now. */
function readInPart(complaints: LayerLog['complaints']): string[] {
  return complaints.filter(({ reason }) => isReadInPart(reason)).map(({ path }) => path);
}

function partName({ index }: Part, { parts }: CapturePlan): string {
  return `part ${index + 1} of ${parts.length}`;
}

/** Like Promise.all, but comes back only when all have ended, with the first error. */
async function allOrNone<Result>(
  work: readonly Promise<Result>[],
  onError: (error: unknown) => void,
): Promise<Result[]> {
  let first: { error: unknown } | undefined;
  const results = await Promise.all(
    work.map((each) =>
      each.catch((error: unknown) => {
        first ??= { error };
        onError(error);
        return undefined;
      }),
    ),
  );
  if (first !== undefined) throw first.error;
  return results.filter((result) => result !== undefined);
}

/** The command of one part, for running and for `--dry-run`. Its standard input are the paths. */
export function partCommand(
  { index }: Pick<Part, 'index'>,
  tools: SourceTools,
  { wire, sparse }: Pick<StreamInput, 'wire' | 'sparse'>,
): RemoteCommand {
  const script = remoteTarScript(tools.tar, { sparse: sparse === 'pax' });
  return over(wire, { purpose: `stream part ${index + 1}`, script, timeoutMs: SILENCE_MS });
}

interface PartCapture extends Pick<StreamInput, 'session' | 'facts' | 'store' | 'wire' | 'signal' | 'sparse'> {
  readonly part: Part;
  readonly beside: BesideStream;
  /** Where filesystems of the kernel's making are mounted. */
  readonly restless: ReadonlySet<string>;
  /** Bytes that came; fewer than none where they have to come again. */
  readonly onBytes: (bytes: number) => void;
}

async function capturePart(capture: PartCapture): Promise<CapturedPart> {
  const { part, restless, signal } = capture;
  signal.throwIfAborted();
  const account = new AnomalyAccount(restless);
  const refused = new Set<string>();
  const messages = new TarMessages();
  const wanted = new PathListReader(part.pathsFile);
  const log = new CaptureLogWriter(`${part.pathsFile}.log`);
  try {
    const filter = new TarFilter(wanted, {
      timeless: restless,
      sparse: capture.sparse === 'pax',
      attributesOf: (path) => capture.beside.attributes.of(path),
      onAnomaly: (anomaly) => account.anomaly(anomaly),
      onDelivered: (delivered) => log.add(delivered),
      onAgain: (path) => refused.add(path),
    });
    const layer = await streamLayer(capture, filter, messages);
    const said = messages.end();
    account.part(filter.counts, said);
    const complaints = said.problems.flatMap((problem) => complaintOf(problem) ?? []);
    const again = new Set([...refused, ...readInPart(complaints)]);
    return { layer, account: account.close(0), log: { file: log.file, complaints, whiteouts: part.whiteouts }, again };
  } finally {
    wanted.close();
    log.close();
  }
}

/** What the source's tar sends, filtered, into a blob of its own. */
async function streamLayer(capture: PartCapture, filter: TarFilter, messages: TarMessages): Promise<Layer> {
  const { session, facts, part, store, onBytes, signal } = capture;
  await using blob = await store.createBlob();
  const { tar } = facts.tools;
  const input = tarNames(part.pathsFile, { unquotes: tar.flavour === 'gnu' && !tar.noUnquote });
  const command = { ...partCommand(part, facts.tools, capture), input };
  const stream = await session.stream(command, (chunk) => messages.push(chunk));
  const abort = (): void => stream.kill();
  signal.addEventListener('abort', abort, { once: true });
  let received = 0;
  try {
    for await (const chunk of stream.stdout) {
      await blob.write(filter.push(chunk));
      received += chunk.length;
      onBytes(chunk.length);
    }
    signal.throwIfAborted();
    const end = endOf(filter, await stream.done, messages);
    await blob.write([...end.slice(0, -1), ...part.whiteouts.map(whiteout), ...end.slice(-1)]);
  } catch (error) {
    onBytes(-received);
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    stream.kill();
  }
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

/** tar's exit code: 1 is "some files differ" (changed while read), 2 is an error; which files is found by their absence. */
function endOf(filter: TarFilter, result: CommandResult, messages: TarMessages): Buffer[] {
  if (result.code > 2) throw tarFailed(result, messages, undefined);
  try {
    return filter.end();
  } catch (error) {
    throw error instanceof P2cError && error.code === 'tar.truncated' ? tarFailed(result, messages, error) : error;
  }
}

function tarFailed(result: CommandResult, messages: TarMessages, cause: P2cError | undefined): P2cError {
  const said = messages.tail.trim();
  const text = `tar on the source ended with exit code ${result.code}${cause === undefined ? '' : `: ${cause.message}`}`;
  return new P2cError(text, {
    code: result.code > 128 ? 'tar.killed' : 'tar.failed',
    hint: 'the cause is what tar said on the source; once it is mended, run p2c again',
    cause: new Error(said === '' ? 'tar said nothing' : said.slice(-2000)),
  });
}

/** The stage's last line. */
export function describeCapture({ account }: CapturedLayers): string {
  const took = formatDuration(account.milliseconds);
  return `${formatBytes(account.bytes)} in ${took}, ${formatRate(account.bytes, account.milliseconds)}`;
}
