/** How much the filesystems of a source hold whose files are captured: more than a capture of them can become. */
import { P2cError } from '../errors.ts';
import { printablePath } from '../printable.ts';
import { quotePath } from '../ssh/quote.ts';
import type { Session } from '../ssh/session.ts';
import type { Filesystem } from './filesystems.ts';
import { parseDf } from './inspection/storage.ts';

/**
 * Bytes. Network filesystems are not asked: one whose server is gone would not answer.
 * @throws P2cError `source.df` where a disk does not answer: what the others hold is no bound.
 */
export async function usedSpace(session: Session, filesystems: readonly Filesystem[]): Promise<number> {
  const disks = new Map(
    filesystems.filter(({ verdict }) => verdict === 'included').map((each) => [printablePath(each.source), each]),
  );
  const mounts = [...disks.values()].map(({ mountPoint }) => mountPoint);
  const { stdout, stderr } = await session.run({
    purpose: 'ask how full the disks are',
    script: `df -P -k ${mounts.map(quotePath).join(' ')}`,
  });
  // df has the bytes of a name as they are.
  const sizes = parseDf(stdout.toString('latin1').split('\n'));
  let sum = 0;
  for (const mountPoint of mounts) {
    const size = sizes.get(mountPoint);
    if (size === undefined) {
      throw new P2cError(`df on ${session.target.name} tells nothing of the disk on ${printablePath(mountPoint)}`, {
        code: 'source.df',
        cause: new Error(stderr.trim() || 'it said nothing'),
      });
    }
    sum += size.used;
  }
  return sum;
}
