/** Lists the included filesystems of a source, one `find` each. */
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import { unseenIn } from '../../listing/blind-spots.ts';
import { tarSize } from '../../listing/entry.ts';
import { FindParser, findScript } from '../../listing/scan.ts';
import { type Listing, ListingWriter } from '../../listing/storage.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { formatCount } from '../../report/units.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { RemoteCommand, Session } from '../../ssh/session.ts';
import { type Patience, retrying } from '../retry.ts';
import type { Tell } from '../stage.ts';

export interface ScannedListing {
  readonly listing: Listing;
  /** Milliseconds since 1970, here, when its finds began. */
  readonly startedAt: number;
  /** Device of each filesystem, by where it is mounted. */
  readonly devices: ReadonlyMap<ByteString, number>;
  /** What a tar of all of it would be, before any rule. */
  readonly tarBytes: number;
  /** What find could not look at, in its own words: blind spots. Files that vanished meanwhile are not among them. */
  readonly problems: readonly string[];
}

/** A listing waits for a disk that spins up, never for a find that is stuck on a dead mount. */
const SILENCE_MS = 300_000;
const PROBLEMS_KEPT = 1000;
/** A path has 4096 bytes at most on Linux, four characters each where they are escaped. */
const LONGEST_LINE = 32 * 1024;

/** Finds at the same time: several disks are read at once, and on one disk the second waits a little longer. */
const FINDS = 4;

/** Why a listing is made, as the ledger and `--dry-run` have it: `list / again`. */
export type ListingReason = '' | ' again' | ' to see what moved';

/** The command of one filesystem, for running and for `--dry-run`. */
export function listCommand(mountPoint: ByteString, reason: ListingReason): RemoteCommand {
  const purpose = `list ${printablePath(mountPoint)}${reason}`;
  return { purpose, script: findScript(mountPoint), timeoutMs: SILENCE_MS };
}

export interface ListInput extends Patience {
  readonly session: Session;
  readonly facts: Pick<SourceFacts, 'filesystems'>;
  readonly reason: ListingReason;
}

/** @throws P2cError where a find fails as a whole. */
export async function listFilesystems(input: ListInput, directory: string, tell: Tell): Promise<ScannedListing> {
  const startedAt = Date.now();
  const writer = new ListingWriter(directory, 'listing');
  const scan = new Scan(input, writer, tell);
  const limit = pLimit(FINDS);
  const included = input.facts.filesystems.filter((mount) => mount.verdict === 'included');
  await Promise.all(included.map(({ mountPoint }) => limit(() => scan.filesystem(mountPoint))));
  return {
    startedAt,
    listing: await writer.finish(),
    tarBytes: scan.tarBytes,
    problems: scan.problems,
    devices: scan.devices,
  };
}

/** The finds of one listing, and what they found together. */
class Scan {
  readonly problems: string[] = [];
  readonly devices = new Map<ByteString, number>();
  tarBytes = 0;
  readonly #input: ListInput;
  readonly #writer: ListingWriter;
  readonly #tell: Tell;
  #count = 0;

  constructor(input: ListInput, writer: ListingWriter, tell: Tell) {
    this.#input = input;
    this.#writer = writer;
    this.#tell = tell;
  }

  async filesystem(mountPoint: ByteString): Promise<void> {
    const command = listCommand(mountPoint, this.#input.reason);
    await retrying(command.purpose, this.#input, () => this.#list(command, mountPoint));
  }

  /** What came before a link was lost comes again, and the listing keeps the later of two entries of a path. */
  async #list(command: RemoteCommand, mountPoint: ByteString): Promise<void> {
    const { session, signal } = this.#input;
    const parser = new FindParser();
    const found = { entries: 0, tarBytes: 0 };
    signal?.throwIfAborted();
    const said = new Complaints((line) => this.#matters(line));
    const stream = await session.stream(command, (chunk) => said.push(chunk));
    const abort = (): void => stream.kill();
    signal?.addEventListener('abort', abort, { once: true });
    try {
      for await (const chunk of stream.stdout) {
        const entries = parser.push(chunk);
        found.entries += entries.length;
        for (const entry of entries) {
          found.tarBytes += tarSize(entry);
          if (entry.path === mountPoint) this.devices.set(mountPoint, entry.device);
        }
        this.#tell(formatCount(this.#count + found.entries, 'entry', 'entries'));
        await this.#writer.add(entries);
      }
      const result = await stream.done;
      const failed = result.code > 1 || (result.code !== 0 && found.entries === 0);
      if (failed) throw findFailed(session, command.purpose, result);
      parser.end();
      this.#count += found.entries;
      this.tarBytes += found.tarBytes;
      this.#note(said.end());
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.kill();
    }
  }

  /** A mount that is not captured anyway: root itself may not look at a user's FUSE. */
  #isOtherMount(line: string): boolean {
    const path = unseenIn(line)?.path;
    return this.#input.facts.filesystems.some(
      ({ mountPoint, verdict }) => mountPoint === path && verdict !== 'included',
    );
  }

  #matters(line: string): boolean {
    return line !== '' && !/No such file or directory$/.test(line) && !this.#isOtherMount(line);
  }

  #note(complaints: readonly string[]): void {
    for (const line of complaints) {
      if (this.problems.length < PROBLEMS_KEPT) this.problems.push(line);
      else if (this.problems.length === PROBLEMS_KEPT) this.problems.push('find said more than is kept here');
    }
  }
}

/** The lines of one find's standard error that matter: as many as are kept, and one more, which tells that there were more. */
class Complaints {
  readonly #matters: (line: string) => boolean;
  readonly #decoder = new TextDecoder();
  readonly #lines: string[] = [];
  #rest = '';

  constructor(matters: (line: string) => boolean) {
    this.#matters = matters;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#line(line);
  }

  end(): readonly string[] {
    this.#line(this.#rest);
    return this.#lines;
  }

  #line(line: string): void {
    if (this.#lines.length <= PROBLEMS_KEPT && this.#matters(line)) this.#lines.push(line);
  }
}

/**
 * What lies on a filesystem that is no longer mounted would look as if it had been removed.
 * @throws P2cError `source.mounts`.
 */
export function requireSameMounts(before: ScannedListing, after: ScannedListing): void {
  for (const [mountPoint, device] of before.devices) {
    if (after.devices.get(mountPoint) === device) continue;
    throw new P2cError(
      `the filesystem on ${printablePath(mountPoint)} was unmounted, or another mounted there, meanwhile`,
      {
        code: 'source.mounts',
        hint: 'mount it again, and run p2c again; where a stop unmounts it, leave the applications running: --no-stop',
      },
    );
  }
}

function findFailed(session: Session, purpose: string, result: { code: number; stderr: string }): P2cError {
  return new P2cError(`${purpose} on ${session.target.name} failed: find ended with exit code ${result.code}`, {
    code: 'source.find',
    hint: 'the cause is what find said',
    cause: new Error(result.stderr.trim().slice(-2000) || 'find said nothing'),
  });
}
