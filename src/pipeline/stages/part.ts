/** Captures one part: what the source's tar sends of it, filtered, as a layer, and what is known of that beside its bytes. */
import { P2cError } from '../../errors.ts';
import type { Part } from '../../listing/part.ts';
import { PathListReader, tarNames } from '../../listing/path-list.ts';
import type { Layer } from '../../oci/layer.ts';
import { MediaType } from '../../oci/spec.ts';
import { CaptureLogWriter } from '../../report/receipt/capture-log.ts';
import { ComplaintLogWriter } from '../../report/receipt/complaint-log.ts';
import { AnomalyAccount } from '../../report/stream-account.ts';
import type { SourceTools } from '../../source/tools.ts';
import type { CommandResult, RemoteCommand } from '../../ssh/session.ts';
import { over } from '../../ssh/wire.ts';
import { ANOMALY_KINDS } from '../../tar/anomaly.ts';
import { TarFilter } from '../../tar/filter.ts';
import { isReadInPart, TarMessages } from '../../tar/messages.ts';
import { remoteTarScript } from '../../tar/remote-tar.ts';
import { whiteout } from '../../tar/whiteout.ts';
import type { CapturedPart } from '../captured-part.ts';
import type { BesideStream } from './attributes.ts';
import type { StreamInput } from './stream.ts';

/** tar is silent while it reads through the holes of a sparse file; a disk that answers nothing for longer is dead. */
const SILENCE_MS = 600_000;
/** Of the files that were read in part or did not come, so many are asked for again: of a disk that has more, nothing will come. */
const MOST_AGAIN = 10_000;
/** A folder that went away may have had a million files, and each whiteout is half a kilobyte or more. */
const WHITEOUTS_AT_ONCE = 2000;

/** The command of one part, for running and for `--dry-run`. Its standard input are the paths. */
export function partCommand(
  { index }: Pick<Part, 'index'>,
  tools: SourceTools,
  { wire, sparse }: Pick<StreamInput, 'wire' | 'sparse'>,
): RemoteCommand {
  const script = remoteTarScript(tools.tar, { sparse: sparse === 'pax' });
  return over(wire, { purpose: `stream part ${index + 1}`, script, timeoutMs: SILENCE_MS });
}

export interface PartCapture extends Pick<StreamInput, 'session' | 'facts' | 'store' | 'wire' | 'signal' | 'sparse'> {
  readonly part: Part;
  readonly beside: BesideStream;
  /** Where filesystems of the kernel's making are mounted. */
  readonly restless: ReadonlySet<string>;
  /** Bytes that came; fewer than none where they have to come again. */
  readonly onBytes: (bytes: number) => void;
}

export async function capturePart(capture: PartCapture): Promise<CapturedPart> {
  const { part, restless, signal } = capture;
  signal.throwIfAborted();
  const account = new AnomalyAccount(restless);
  const refused = new Set<string>();
  const readInPart = new Set<string>();
  const lost = new Set<string>();
  const complaints = new ComplaintLogWriter(`${part.pathsFile}.said`);
  const messages = new TarMessages((complaint) => {
    complaints.add(complaint);
    // Zeros stand in the place of what could not be read: perhaps it can be now.
    if (isReadInPart(complaint.reason) && readInPart.size < MOST_AGAIN) readInPart.add(complaint.path);
  });
  const wanted = new PathListReader(part.pathsFile);
  const log = new CaptureLogWriter(`${part.pathsFile}.log`);
  try {
    const filter = new TarFilter(wanted, {
      timeless: restless,
      sparse: capture.sparse === 'pax',
      attributesOf: (path) => capture.beside.attributes.of(path),
      onAnomaly: (anomaly) => {
        account.anomaly(anomaly);
        if (ANOMALY_KINDS[anomaly.kind] === 'lost') log.lose({ path: anomaly.path, lost: anomaly.kind });
        if (anomaly.kind === 'not delivered' && lost.size < MOST_AGAIN) lost.add(anomaly.path);
      },
      onDelivered: (delivered) => log.add(delivered),
      onAgain: (path) => refused.add(path),
    });
    const layer = await streamLayer(capture, filter, messages);
    account.part(filter.counts, messages.end());
    const logs = { file: log.file, complaints: complaints.end(), whiteouts: part.whiteouts };
    return { layer, account: account.close(0), log: logs, again: new Set([...refused, ...readInPart]), lost };
  } finally {
    wanted.close();
    log.close();
    complaints.close();
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
  // Meanwhile: there may have been no session free for it.
  if (signal.aborted) abort();
  let received = 0;
  try {
    for await (const chunk of stream.stdout) {
      await blob.write(filter.push(chunk));
      received += chunk.length;
      onBytes(chunk.length);
    }
    signal.throwIfAborted();
    const end = endOf(filter, await stream.done, messages);
    await blob.write(end.slice(0, -1));
    for (let at = 0; at < part.whiteouts.length; at += WHITEOUTS_AT_ONCE) {
      await blob.write(part.whiteouts.slice(at, at + WHITEOUTS_AT_ONCE).map(whiteout));
    }
    await blob.write(end.slice(-1));
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
