/** How much the filesystems of a source hold whose files are captured: more than a capture of them can become. */
import { P2cError } from '../errors.ts';
import { printablePath } from '../printable.ts';
import { quotePath } from '../ssh/quote.ts';
import type { Session } from '../ssh/session.ts';
import type { Filesystem } from './filesystems.ts';
import { parseDf } from './inspection/storage.ts';

/** Bytes. Network filesystems are not asked: one whose server is gone would not answer. @throws P2cError `source.df`. */
export async function usedSpace(session: Session, filesystems: readonly Filesystem[]): Promise<number> {
  const disks = new Map(
    filesystems.filter(({ verdict }) => verdict === 'included').map((each) => [printablePath(each.source), each]),
  );
  const mounts = [...disks.values()].map(({ mountPoint }) => mountPoint);
  const { stdout, stderr } = await session.run({
    purpose: 'ask how full the disks are',
    script: `df -P -k ${mounts.map(quotePath).join(' ')}`,
  });
  const sizes = parseDf(stdout.toString('latin1').split('\n'));
  const used = mounts.map((mountPoint) => sizes.get(printablePath(mountPoint))?.used);
  const known = used.filter((bytes) => bytes !== undefined);
  if (known.length > 0) return known.reduce((sum, bytes) => sum + bytes, 0);
  throw new P2cError(`df tells nothing of the disks of ${session.target.name}`, {
    code: 'source.df',
    cause: new Error(stderr.trim() || 'it said nothing'),
  });
}
