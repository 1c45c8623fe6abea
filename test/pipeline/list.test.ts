import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { listFilesystems } from '../../src/pipeline/stages/list.ts';
import { byteStringFromText } from '../../src/printable.ts';
import type { Filesystem } from '../../src/source/filesystems.ts';
import { localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('each of what a find could not look at is known, however much it said of what does not matter', async (t) => {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  mkdirSync(join(tree, 'd'));
  const name = 'n'.repeat(200);
  writeFileSync(
    join(bin, 'find'),
    `#!/bin/sh
PATH=/usr/bin:/bin
case $2 in -prune) exec find "$@" ;; esac
find "$@"
seq 999 | sed "s#.*#find: '${tree}/bad-&-${name}': Input/output error#" >&2
seq 5000 | sed "s#.*#find: '${tree}/gone-&-${name}': No such file or directory#" >&2
printf "find: '%s': Permission denied\\n" ${tree}/fuse ${tree}/a ${tree}/b ${tree}/c >&2
exit 1
`,
    { mode: 0o755 },
  );
  const filesystem = (mountPoint: string, verdict: Filesystem['verdict']): Filesystem => ({
    id: -1,
    parent: -1,
    device: '8:1',
    root: byteStringFromText('/'),
    mountPoint: byteStringFromText(mountPoint),
    type: 'ext4',
    source: byteStringFromText('/dev/sda1'),
    verdict,
    readOnly: false,
    reason: 'test',
  });
  const filesystems = [filesystem(tree, 'included'), filesystem(`${tree}/fuse`, 'network')];
  const input = {
    session: localSession({ path: bin }),
    facts: { filesystems },
    reason: '' as const,
    retries: 0,
    note: () => {},
  };
  const { listing, problems } = await listFilesystems(input, await temporaryFolder(t), () => {});
  t.is(listing.count, 2);
  t.is(problems.length, 1001);
  t.is(problems[0], `find: '${tree}/bad-1-${name}': Input/output error`);
  t.is(problems[998], `find: '${tree}/bad-999-${name}': Input/output error`);
  t.is(problems[999], `find: '${tree}/a': Permission denied`, 'nothing of the mount that is not captured');
  t.is(problems[1000], 'find said more than is kept here');
});
