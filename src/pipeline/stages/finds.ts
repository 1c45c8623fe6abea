/** The finds of one listing, and what they found together. */
import { P2cError } from '../../errors.ts';
import { loopIn, unseenComplaint, unseenIn } from '../../listing/blind-spots.ts';
import { COMPLAINTS_KEPT, Complaints } from '../../listing/complaints.ts';
import { type Entry, inodeKey, tarSize } from '../../listing/entry.ts';
import type { RuleSet } from '../../listing/rules.ts';
import { FindParser, findScript, type Start } from '../../listing/scan.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { formatCount } from '../../report/units.ts';
import type { SourceFacts } from '../../source/facts.ts';
import { shownElsewhere } from '../../source/shown-elsewhere.ts';
import type { RemoteCommand, RemoteStream, Session } from '../../ssh/session.ts';
import { type Patience, retrying } from '../retry.ts';
import type { Tell } from '../stage.ts';
import type { HeadStart } from './head-start.ts';
import { heldBack } from './held-back.ts';
import type { Unentered } from './unentered.ts';

/** A listing waits for a disk that spins up, never for a find that is stuck on a dead mount. */
const SILENCE_MS = 300_000;

/** Bytes of each find that wait for who takes the entries: some 100,000 of them. */
const MOST_HELD = 12 * 1024 * 1024;

/** Of directories that a find did not enter. More than these are told as what was not looked at. */
const UNENTERED_KEPT = 10_000;

/** Why a listing is made, as the ledger and `--dry-run` have it: `list / again`. */
export type ListingReason = '' | ' again' | ' to see what moved';

const NAMES: Readonly<Record<Start['what'], (path: string) => string>> = {
  filesystem: (path) => path,
  subvolume: (path) => `the subvolume ${path}`,
  directory: (path) => `the directory ${path}`,
  itself: (path) => `${path} itself`,
};

/** The command of one find, for running and for `--dry-run`. */
export function listCommand(start: Start, reason: ListingReason): RemoteCommand {
  const purpose = `list ${NAMES[start.what](printablePath(start.path))}${reason}`;
  return { purpose, script: findScript(start), timeoutMs: SILENCE_MS };
}

export interface ListInput extends Patience {
  readonly session: Session;
  readonly facts: Pick<SourceFacts, 'filesystems'>;
  /** What they leave out is not followed into other subvolumes. */
  readonly rules: Pick<RuleSet, 'leavesOutBelow'>;
  readonly reason: ListingReason;
  /** A find that runs already. */
  readonly begun?: HeadStart | undefined;
}

/** What becomes of the entries. */
export interface EntrySink {
  /** A find that was cut short begins again. */
  begin(start: Start): FindSink;
}

/** Of one find. */
export interface FindSink {
  /** Until then nothing is added. */
  readonly ready?: Promise<unknown>;
  add(entries: readonly Entry[]): Promise<void>;
  /** All came. */
  end(): Promise<void>;
}

export class Finds {
  readonly problems: string[] = [];
  readonly devices = new Map<ByteString, number>();
  readonly starts: Start[] = [];
  readonly places = new Set<ByteString>();
  readonly covered = new Set<ByteString>();
  /** Inodes of the directories where they started. */
  readonly roots = new Set<string>();
  /** Bind mounts within what they show: a find that comes upon them prints not even the directory. */
  readonly loops = new Set<ByteString>();
  tarBytes = 0;
  readonly #input: ListInput;
  readonly #sink: EntrySink;
  readonly #tell: Tell;
  readonly #mountPoints: ReadonlySet<ByteString>;
  readonly #shownElsewhere: ReadonlySet<ByteString>;
  #unentered: Unentered[] = [];
  #count = 0;

  constructor(input: ListInput, sink: EntrySink, tell: Tell) {
    this.#input = input;
    this.#sink = sink;
    this.#tell = tell;
    this.#mountPoints = new Set(input.facts.filesystems.map(({ mountPoint }) => mountPoint));
    this.#shownElsewhere = new Set(shownElsewhere(input.facts.filesystems).map(({ path }) => path));
  }

  /** @returns the entry of the path itself, also where that is of another device than was asked for, and nothing was listed. */
  async list(start: Start): Promise<Entry | undefined> {
    this.starts.push(start);
    const command = listCommand(start, this.#input.reason);
    return retrying(command.purpose, this.#input, () => this.#list(command, start));
  }

  /** Directories of another device since the last call. */
  takeUnentered(): readonly Unentered[] {
    const taken = this.#unentered;
    this.#unentered = [];
    return taken;
  }

  /** To be taken with the next. */
  putBack(unentered: Unentered): void {
    this.#unentered.push(unentered);
  }

  /** What was not looked into. */
  unseen(path: ByteString, reason: string): void {
    this.#note([unseenComplaint({ path, reason })]);
  }

  async #list(command: RemoteCommand, start: Start): Promise<Entry | undefined> {
    const { session, signal } = this.#input;
    const parser = new FindParser();
    const sink = this.#sink.begin(start);
    const found = new Found(start, (path) => this.#isOfInterest(path));
    signal?.throwIfAborted();
    const said = new Complaints((line) => this.#matters(line));
    let silent = true;
    const stream = await this.#begin(command, (chunk) => {
      silent = false;
      said.push(chunk);
    });
    const abort = (): void => stream.kill();
    signal?.addEventListener('abort', abort, { once: true });
    // Meanwhile: there may have been no session free for it.
    if (signal?.aborted === true) abort();
    try {
      const { ready } = sink;
      for await (const chunk of ready === undefined ? stream.stdout : heldBack(stream.stdout, ready, MOST_HELD)) {
        const entries = parser.push(chunk);
        found.add(entries);
        if (found.isElsewhere) return found.root;
        this.#tell(formatCount(this.#count + found.entries, 'entry', 'entries'));
        await sink.add(entries);
      }
      const result = await stream.done;
      // A directory, unlike a filesystem, may have vanished meanwhile.
      const failed = result.code > 1 || (result.code !== 0 && found.entries === 0 && start.what === 'filesystem');
      if (failed) throw findFailed(session, command.purpose, result);
      parser.end();
      await sink.end();
      this.#keep(start, found);
      this.#note(said.end());
      // busybox' find does not tell that a program was killed under it.
      if (silent && result.code !== 0) this.#note([`${command.purpose}: exit code ${result.code} without a word`]);
      return found.root;
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', abort);
      stream.kill();
    }
  }

  async #begin(command: RemoteCommand, onStderr: (chunk: Buffer) => void): Promise<RemoteStream> {
    const { session, begun } = this.#input;
    const running = begun?.script === command.script ? await begun.take(onStderr) : undefined;
    return running ?? session.stream(command, onStderr);
  }

  #keep({ path, what }: Start, found: Found): void {
    this.#count += found.entries;
    this.tarBytes += found.tarBytes;
    if (found.root === undefined || what === 'itself') return;
    this.roots.add(inodeKey(found.root));
    if (what === 'filesystem') this.devices.set(path, found.root.device);
    const room = UNENTERED_KEPT - this.#unentered.length;
    this.#unentered.push(...found.unentered.slice(0, room));
    if (found.unentered.length > room) this.#note(['find did not enter more directories than are kept here']);
  }

  #isOfInterest(path: ByteString): boolean {
    return !this.#mountPoints.has(path) && !this.#input.rules.leavesOutBelow(path);
  }

  #matters(line: string): boolean {
    return line !== '' && !/No such file or directory$/.test(line) && !this.#isOtherMount(line);
  }

  /**
   * A mount that is not captured anyway: root itself may not look at a user's FUSE. What is hidden has no say, for find looks
   * at what lies over it: a disk that autofs mounts has autofs below it.
   */
  #isOtherMount(line: string): boolean {
    const loop = loopIn(line);
    const path = loop ?? unseenIn(line)?.path;
    const here = this.#input.facts.filesystems.filter(
      ({ mountPoint, verdict }) => mountPoint === path && verdict !== 'hidden',
    );
    if (loop === undefined) return here.length > 0 && here.every(({ verdict }) => verdict !== 'included');
    // The find of the whole disk lists it.
    if (this.#shownElsewhere.has(loop)) return true;
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

/** What one attempt of a find gave. */
class Found {
  entries = 0;
  tarBytes = 0;
  /** The entry of the start itself, which comes first. */
  root: Entry | undefined;
  readonly unentered: Unentered[] = [];
  readonly #start: Start;
  readonly #isOfInterest: (path: ByteString) => boolean;

  constructor(start: Start, isOfInterest: (path: ByteString) => boolean) {
    this.#start = start;
    this.#isOfInterest = isOfInterest;
  }

  add(entries: readonly Entry[]): void {
    this.entries += entries.length;
    for (const entry of entries) {
      this.tarBytes += tarSize(entry);
      if (entry.path === this.#start.path) this.root = entry;
      if (entry.type === 'd' && this.root !== undefined && entry.device !== this.root.device) {
        this.#pass(entry, this.root.device);
      }
    }
  }

  /** Something was mounted where the start was. */
  get isElsewhere(): boolean {
    const { device } = this.#start;
    return device !== undefined && this.root !== undefined && this.root.device !== device;
  }

  #pass({ path, device, inode }: Entry, around: number): void {
    if (this.unentered.length > UNENTERED_KEPT || !this.#isOfInterest(path)) return;
    this.unentered.push({ path, device, inode, around });
  }
}

function findFailed(session: Session, purpose: string, result: { code: number; stderr: string }): P2cError {
  return new P2cError(`${purpose} on ${session.target.name} failed: find ended with exit code ${result.code}`, {
    code: 'source.find',
    hint: 'the cause is what find said',
    cause: new Error(result.stderr.trim().slice(-2000) || 'find said nothing'),
  });
}
