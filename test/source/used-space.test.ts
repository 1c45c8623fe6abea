import test from 'ava';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { usedSpace } from '../../src/source/used-space.ts';
import type { Session } from '../../src/ssh/session.ts';
import { failure } from '../helpers/failure.ts';

const FILESYSTEMS = classifyMounts(
  parseMountinfo(
    Buffer.from(`1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /dätä rw - xfs /dev/sdb1 rw
3 1 0:9 / /far rw - nfs far:/ rw
`),
  ),
);

/** Whose df says this. */
function sessionThatSays(stdout: string, stderr = ''): Session {
  return {
    target: { user: 'root', host: 'lab', port: 22, name: 'root@lab' },
    privilege: 'root',
    ledger: [],
    run: () => Promise.resolve({ code: 1, stdout: Buffer.from(stdout), stderr, durationMs: 0 }),
    stream: () => Promise.reject(new Error('not asked for')),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const HEAD = 'Filesystem     1024-blocks     Used Available Capacity Mounted on\n';
const ROOT = '/dev/sda1         10000000  3000000   7000000      30% /\n';

test('what all disks hold, whatever their names', async (t) => {
  const session = sessionThatSays(`${HEAD}${ROOT}/dev/sdb1  90000000  5000000   85000000  6% /dätä\n`);
  t.is(await usedSpace(session, FILESYSTEMS), 8_000_000 * 1024);
});

test('a disk that does not answer does not count as an empty one', async (t) => {
  const session = sessionThatSays(`${HEAD}${ROOT}`, 'df: /dätä: Input/output error\n');
  const error = await failure(usedSpace(session, FILESYSTEMS));
  t.is(error.code, 'source.df');
  t.is(error.message, 'df on root@lab tells nothing of the disk on /dätä');
});
