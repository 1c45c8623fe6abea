/** Lists the included filesystems of a source, one `find` each, and what these leave out that is no filesystem. */
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import { loopIn, unseenIn } from '../../listing/blind-spots.ts';
import { COMPLAINTS_KEPT, Complaints } from '../../listing/complaints.ts';
import { tarSize } from '../../listing/entry.ts';
import { FindParser, findScript, type Start } from '../../listing/scan.ts';
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
  /** Of its finds. */
  readonly starts: readonly Start[];
  /** What a tar of all of it would be, before any rule. */
  readonly tarBytes: number;
  /** What find could not look at, in its own words: blind spots. Files that vanished meanwhile are not among them. */
  readonly problems: readonly string[];
}

/** A listing waits for a disk that spins up, never for a find that is stuck on a dead mount. */
const SILENCE_MS = 300_000;

/** Finds at the same time: several disks are read at once, and on one disk the second waits a little longer. */
const FINDS = 4;

/** Why a listing is made, as the ledger and `--dry-run` have it: `list / again`. */
export type ListingReason = '' | ' again' | ' to see what moved';

/** The command of one find, for running and for `--dry-run`. */
export function listCommand(start: Start, reason: ListingReason): RemoteCommand {
  const purpose = `list ${printablePath(start.path)}${start.what === 'itself' ? ' itself' : ''}${reason}`;
  return { purpose, script: findScript(start), timeoutMs: SILENCE_MS };
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
  const list = (starts: readonly Start[]): Promise<unknown> =>
    Promise.all(starts.map((start) => limit(() => scan.list(start))));
  await list(included.map(({ mountPoint }) => ({ path: mountPoint, what: 'filesystem' })));
  await list([...scan.loops].map((path) => ({ path, what: 'itself' })));
  return {
    startedAt,
    listing: await writer.finish(),
    tarBytes: scan.tarBytes,
    problems: scan.problems,
    devices: scan.devices,
    starts: scan.starts,
  };
}

/** The finds of one listing, and what they found together. */
class Scan {
  readonly problems: string[] = [];
  readonly devices = new Map<ByteString, number>();
  readonly starts: Start[] = [];
  /** Bind mounts within what they show: a find that comes upon them prints not even the directory. */
  readonly loops = new Set<ByteString>();
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

  async list(start: Start): Promise<void> {
    this.starts.push(start);
    const command = listCommand(start, this.#input.reason);
    await retrying(command.purpose, this.#input, () => this.#list(command, start));
  }

  /** What came before a link was lost comes again, and the listing keeps the later of two entries of a path. */
  async #list(command: RemoteCommand, { path, what }: Start): Promise<void> {
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
          if (what === 'filesystem' && entry.path === path) this.devices.set(path, entry.device);
        }
        this.#tell(formatCount(this.#count + found.entries, 'entry', 'entries'));
        await this.#writer.add(entries);
      }
      const result = await stream.done;
      // A directory, unlike a filesystem, may have vanished meanwhile.
      const failed = result.code > 1 || (result.code !== 0 && found.entries === 0 && what === 'filesystem');
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

  #matters(line: string): boolean {
    return line !== '' && !/No such file or directory$/.test(line) && !this.#isOtherMount(line);
  }

  /** A mount that is not captured anyway: root itself may not look at a user's FUSE. */
  #isOtherMount(line: string): boolean {
    const loop = loopIn(line);
    const path = loop ?? unseenIn(line)?.path;
    const here = this.#input.facts.filesystems.filter(({ mountPoint }) => mountPoint === path);
    if (loop === undefined) return here.some(({ verdict }) => verdict !== 'included');
    if (here.some(({ verdict }) => verdict === 'bind')) this.loops.add(loop);
    // Where the table does not tell binds from mounts, it is listed as a filesystem of its own.
    return here.length > 0;
  }

  #note(complaints: readonly string[]): void {
    for (const line of complaints) {
      if (this.problems.length < COMPLAINTS_KEPT) this.problems.push(line);
      else if (this.problems.length === COMPLAINTS_KEPT) this.problems.push('find said more than is kept here');
    }
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
