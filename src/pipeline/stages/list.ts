/** Lists the included filesystems of a source, one `find` each. */
import pLimit from 'p-limit';
import { P2cError } from '../../errors.ts';
import { type Entry, tarSize } from '../../listing/entry.ts';
import { FindParser, findScript } from '../../listing/scan.ts';
import { type Listing, ListingWriter } from '../../listing/storage.ts';
import { type ByteString, printablePath } from '../../printable.ts';
import { formatCount } from '../../report/units.ts';
import type { Filesystem } from '../../source/filesystems.ts';
import type { Session } from '../../ssh/session.ts';
import type { Tell } from '../stage.ts';

export interface ScannedListing {
  readonly listing: Listing;
  /** What a tar of all of it would be, before any rule. */
  readonly tarBytes: number;
  /** What find could not look at, in its own words: blind spots. Files that vanished meanwhile are not among them. */
  readonly problems: readonly string[];
}

/** A listing waits for a disk that spins up, never for a find that is stuck on a dead mount. */
const SILENCE_MS = 300_000;
const PROBLEMS_KEPT = 1000;

/** Finds at the same time: several disks are read at once, and on one disk the second waits a little longer. */
const FINDS = 4;

/** @throws P2cError where a find fails as a whole. */
export async function listFilesystems(
  session: Session,
  filesystems: readonly Filesystem[],
  directory: string,
  name: string,
  tell: Tell,
): Promise<ScannedListing> {
  const writer = new ListingWriter(directory, name);
  const scan = new Scan(session, writer, tell);
  const limit = pLimit(FINDS);
  const included = filesystems.filter((mount) => mount.verdict === 'included');
  await Promise.all(included.map((filesystem) => limit(() => scan.filesystem(filesystem.mountPoint))));
  return { listing: await writer.finish(), tarBytes: scan.tarBytes, problems: scan.problems };
}

/** The finds of one listing, and what they found together. */
class Scan {
  readonly problems: string[] = [];
  tarBytes = 0;
  readonly #session: Session;
  readonly #writer: ListingWriter;
  readonly #tell: Tell;
  #count = 0;

  constructor(session: Session, writer: ListingWriter, tell: Tell) {
    this.#session = session;
    this.#writer = writer;
    this.#tell = tell;
  }

  async filesystem(mountPoint: ByteString): Promise<void> {
    const purpose = `list ${printablePath(mountPoint)}`;
    const stream = await this.#session.stream({ purpose, script: findScript(mountPoint), timeoutMs: SILENCE_MS });
    const parser = new FindParser();
    let found = 0;
    for await (const chunk of stream.stdout) {
      const entries = parser.push(chunk);
      found += entries.length;
      await this.#take(entries);
    }
    const result = await stream.done;
    if (result.code > 1 || (result.code !== 0 && found === 0)) throw findFailed(this.#session, purpose, result);
    parser.end();
    for (const line of result.stderr.split('\n')) {
      const matters = line !== '' && !/No such file or directory$/.test(line);
      if (matters && this.problems.length < PROBLEMS_KEPT) this.problems.push(line);
    }
  }

  async #take(entries: readonly Entry[]): Promise<void> {
    for (const entry of entries) this.tarBytes += tarSize(entry);
    this.#count += entries.length;
    this.#tell(formatCount(this.#count, 'entry', 'entries'));
    await this.#writer.add(entries);
  }
}

function findFailed(session: Session, purpose: string, result: { code: number; stderr: string }): P2cError {
  return new P2cError(`${purpose} on ${session.target.name} failed: find ended with exit code ${result.code}`, {
    code: 'source.find',
    hint: 'the cause is what find said',
    cause: new Error(result.stderr.trim().slice(-2000) || 'find said nothing'),
  });
}
