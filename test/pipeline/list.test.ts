import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { BlindSpots, unseenIn } from '../../src/listing/blind-spots.ts';
import { RuleSet } from '../../src/listing/rules.ts';
import { listFilesystems, type ScannedListing } from '../../src/pipeline/stages/list.ts';
import { byteStringFromText } from '../../src/printable.ts';
import type { Filesystem } from '../../src/source/filesystems.ts';
import type { CommandResult, Session } from '../../src/ssh/session.ts';
import { collect } from '../helpers/entries.ts';
import { failure } from '../helpers/failure.ts';
import { filesystem } from '../helpers/filesystem.ts';
import { localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function list(
  t: ExecutionContext,
  bin: string,
  filesystems: readonly Filesystem[],
  rules = new RuleSet([]),
): Promise<ScannedListing> {
  const input = {
    session: localSession({ path: bin }),
    facts: { filesystems },
    rules,
    reason: '' as const,
    retries: 0,
    note: () => {},
  };
  return listFilesystems(input, await temporaryFolder(t), () => {});
}

/** A find that lists all there is, says more than it has to, and ends with 1. @param says shell text. */
function complainingFind(folder: string, says: string): void {
  writeFileSync(
    join(folder, 'find'),
    `#!/bin/sh
PATH=/usr/bin:/bin
case $2 in -prune) exec find "$@" ;; esac
find "$@"
${says}
exit 1
`,
    { mode: 0o755 },
  );
}

test('each of what a find could not look at is known, however much it said of what does not matter', async (t) => {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  mkdirSync(join(tree, 'd'));
  const name = 'n'.repeat(200);
  complainingFind(
    bin,
    `seq 999 | sed "s#.*#find: '${tree}/bad-&-${name}': Input/output error#" >&2
seq 5000 | sed "s#.*#find: '${tree}/gone-&-${name}': No such file or directory#" >&2
printf "find: '%s': Permission denied\\n" ${tree}/fuse ${tree}/a ${tree}/b ${tree}/c >&2`,
  );
  const filesystems = [filesystem(tree, 'included'), filesystem(`${tree}/fuse`, 'network')];
  const { listing, problems } = await list(t, bin, filesystems);
  t.is(listing.count, 2);
  t.is(problems.length, 1001);
  t.is(problems[0], `find: '${tree}/bad-1-${name}': Input/output error`);
  t.is(problems[998], `find: '${tree}/bad-999-${name}': Input/output error`);
  t.is(problems[999], `find: '${tree}/a': Permission denied`, 'nothing of the mount that is not captured');
  t.is(problems[1000], 'find said more than is kept here');
});

test('a filesystem that cannot be read is a blind spot also where another lies below it, as autofs below its disk', async (t) => {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  const places = ['disk', 'user', 'gone'].map((name) => join(tree, name));
  for (const place of places) mkdirSync(place);
  const complaints = places.map((place) => `printf "find: '%s': Input/output error\\n" ${place} >&2`).join('\n');
  complainingFind(bin, complaints);
  const [disk = '', user = '', gone = ''] = places;
  const { problems } = await list(t, bin, [
    filesystem(tree, 'included'),
    filesystem(disk, 'hidden'),
    filesystem(disk, 'included'),
    filesystem(user, 'hidden'),
    filesystem(user, 'network'),
    filesystem(gone, 'hidden'),
  ]);
  // The disk complains twice: as what it is, and where the find around it comes by.
  const unseen = new Set(problems.map((line) => unseenIn(line)?.path));
  t.deepEqual([...unseen].map(String).sort(), [disk, gone]);
});

test('a find that fails and does not say where may have missed anything', async (t) => {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  const find = '#!/bin/sh\nPATH=/usr/bin:/bin\nfind "$@"\nexit 1\n';
  writeFileSync(join(bin, 'find'), find, { mode: 0o755 });
  const { problems } = await list(t, bin, [filesystem(tree, 'included')]);
  t.deepEqual(problems, [`list ${tree}: exit code 1 without a word`]);
  t.true(new BlindSpots(problems).covers(byteStringFromText('/etc')));
});

test('where one find fails, the others are ended and waited for', async (t) => {
  const begun: string[] = [];
  let running = 0;
  const session: Session = {
    ...localSession(),
    async stream({ purpose }) {
      begun.push(purpose);
      const fails = purpose === 'list /2';
      // One gets its session when another has failed already.
      if (!fails) await setTimeout(purpose === 'list /3' ? 50 : 1);
      running += 1;
      const stdout = new Readable({ read: () => {} });
      const killed = new AbortController();
      const ending = async (): Promise<CommandResult> => {
        if (!fails) await once(killed.signal, 'abort');
        await setTimeout(20);
        stdout.push(null);
        running -= 1;
        return { code: fails ? 2 : 143, stdout: Buffer.alloc(0), stderr: 'find: no', durationMs: 0 };
      };
      return { stdout, done: ending(), kill: () => killed.abort() };
    },
  };
  const facts = { filesystems: ['/1', '/2', '/3', '/4', '/5', '/6'].map((path) => filesystem(path, 'included')) };
  const input = { session, facts, rules: new RuleSet([]), reason: '' as const, retries: 0, note: () => {} };
  const error = await failure(listFilesystems(input, await temporaryFolder(t), () => {}));
  t.is(error.code, 'source.find');
  t.regex(error.message, /^list \/2 /);
  t.is(running, 0, 'when the error goes on');
  t.false(begun.includes('list /6'));
});

test('a directory that is mounted within itself is no blind spot, and its mount point is listed', async (t) => {
  const [tree, bin] = [await temporaryFolder(t), await temporaryFolder(t)];
  for (const name of ['chroot/bind', 'chroot/copy']) mkdirSync(join(tree, name), { recursive: true });
  writeFileSync(join(tree, 'zone'), 'x');
  // GNU find neither prints what makes a loop nor goes into it. For a start by itself the loop does not count.
  writeFileSync(
    join(bin, 'find'),
    `#!/bin/sh
PATH=/usr/bin:/bin
case "$*" in *-prune*) exec find "$@" ;; esac
start=$1; shift
find "$start" -path '${tree}/chroot/bind' -prune -o -path '${tree}/chroot/copy' -prune -o '(' "$@" ')'
for name in bind copy; do
  printf "find: File system loop detected; '%s' is part of the same file system loop as '%s'.\\n" "${tree}/chroot/$name" "${tree}" >&2
done
exit 1
`,
    { mode: 0o755 },
  );
  const bind = filesystem(`${tree}/chroot/bind`, 'bind');
  const known = await list(t, bin, [filesystem(tree, 'included'), bind, filesystem(`${tree}/chroot/copy`, 'bind')]);
  t.deepEqual(known.problems, []);
  t.deepEqual(known.starts.map(({ path, what }) => [path.slice(tree.length), what]).sort(), [
    ['', 'filesystem'],
    ['/chroot/bind', 'itself'],
    ['/chroot/copy', 'itself'],
  ]);
  const paths = (await collect(known.listing.batches())).map(({ path }) => path.slice(tree.length));
  t.deepEqual(paths, ['', '/chroot', '/chroot/bind', '/chroot/copy', '/zone']);
  const { problems } = await list(t, bin, [filesystem(tree, 'included'), bind]);
  t.deepEqual(
    problems.map(unseenIn).map((unseen) => unseen?.path.slice(tree.length)),
    ['/chroot/copy'],
  );
});
