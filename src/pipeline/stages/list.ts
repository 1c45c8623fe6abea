/** Lists the included filesystems of a source, one `find` each. */

import { P2cError } from '../../errors.ts';
import { FindParser, findScript } from '../../listing/scan.ts';
import { type Listing, ListingWriter } from '../../listing/storage.ts';
import { printablePath } from '../../printable.ts';
import { formatCount } from '../../report/units.ts';
import type { Filesystem } from '../../source/filesystems.ts';
import type { Session } from '../../ssh/session.ts';
import type { Tell } from '../stage.ts';

export interface ScannedListing {
  readonly listing: Listing;
  /** What find could not look at, in its own words: blind spots. Files that vanished meanwhile are not among them. */
  readonly problems: readonly string[];
}

/** A listing waits for a disk that spins up, never for a find that is stuck on a dead mount. */
const SILENCE_MS = 300_000;
const PROBLEMS_KEPT = 1000;

/** @throws P2cError where a find fails as a whole. */
export async function listFilesystems(
  session: Session,
  filesystems: readonly Filesystem[],
  directory: string,
  name: string,
  tell: Tell,
): Promise<ScannedListing> {
  const writer = new ListingWriter(directory, name);
  const problems: string[] = [];
  let count = 0;
  for (const filesystem of filesystems.filter((mount) => mount.verdict === 'included')) {
    const purpose = `list ${printablePath(filesystem.mountPoint)}`;
    const stream = await session.stream({ purpose, script: findScript(filesystem.mountPoint), timeoutMs: SILENCE_MS });
    const parser = new FindParser();
    for await (const chunk of stream.stdout) {
      const entries = parser.push(chunk);
      count += entries.length;
      await writer.add(entries);
      tell(`${printablePath(filesystem.mountPoint)}: ${formatCount(count, 'entry', 'entries')}`);
    }
    const result = await stream.done;
    if (result.code > 1 || (result.code !== 0 && count === 0)) throw findFailed(session, purpose, result);
    parser.end();
    for (const line of result.stderr.split('\n')) {
      if (line !== '' && !/No such file or directory$/.test(line) && problems.length < PROBLEMS_KEPT)
        problems.push(line);
    }
  }
  return { listing: await writer.finish(), problems };
}

function findFailed(session: Session, purpose: string, result: { code: number; stderr: string }): P2cError {
  return new P2cError(`${purpose} on ${session.target.name} failed: find ended with exit code ${result.code}`, {
    code: 'source.find',
    hint: 'the cause is what find said',
    cause: new Error(result.stderr.trim().slice(-2000) || 'find said nothing'),
  });
}
