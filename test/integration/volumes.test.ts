/** Volumes as containers come and go: what a new one begins with, and what stays of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { runner } from '../helpers/runner.ts';

function ready(t: ExecutionContext): boolean {
  return requireRoot(t) && requirePrograms(t, ['busybox', 'unshare', 'nsenter', 'setpriv', 'prlimit', 'tar']);
}

const TREE = { 'srv/data/from-image': 'here\n' };

test('a volume is filled once: one that was emptied stays so, and whoever has it keeps it', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t, TREE);
  const on = ['-v', 'data:/srv/data', 'test:latest'];
  await p2c.ok('volume', 'create', 'data');
  await p2c.ok('run', '-d', '--name', 'first', ...on, 'sleep', '1000');
  t.is(await p2c.ok('exec', 'first', 'ls', '/srv/data'), 'from-image');
  await p2c.ok('exec', 'first', 'rm', '/srv/data/from-image');
  t.is(await p2c.ok('run', '--rm', ...on, 'ls', '/srv/data'), '');
  // The folder that it has mounted is the volume's still.
  await p2c.ok('exec', 'first', 'touch', '/srv/data/written');
  t.is(await p2c.ok('run', '--rm', ...on, 'ls', '/srv/data'), 'written');
});

test('one that begins empty stays empty, and several that begin at once have one content', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t, TREE);
  const empty = 'type=volume,source=empty,destination=/srv/data,volume-nocopy';
  t.is(await p2c.ok('run', '--rm', '--mount', empty, 'test:latest', 'ls', '/srv/data'), '');
  t.is(await p2c.ok('run', '--rm', '-v', 'empty:/srv/data', 'test:latest', 'ls', '/srv/data'), '');
  const touch = (name: string) =>
    p2c.ok('run', '--rm', '-v', 'shared:/srv/data', 'test:latest', 'touch', `/srv/data/${name}`);
  await Promise.all(['a', 'b', 'c', 'd'].map(touch));
  t.is(
    await p2c.ok('run', '--rm', '-v', 'shared:/srv/data', 'test:latest', 'ls', '/srv/data'),
    'a\nb\nc\nd\nfrom-image',
  );
});

test('an image’s volume gives way to the user’s in the same place, whatever links lead there', async (t) => {
  if (!ready(t)) return;
  const tree = {
    'data/mysql/from-image': 'here',
    'var/lib/mysql': { link: '/data/mysql' },
    'var/loop': { link: 'loop' },
  };
  const declared = ['/var/lib/mysql', '/var/lib/../../data/mysql', '/var/loop/x', '/var/lib/proc'];
  const Volumes = Object.fromEntries(declared.map((path) => [path, {}]));
  const p2c = await runner(t, { ...tree, 'var/lib/proc': { link: '/proc' } }, { Volumes });
  const list = ['test:latest', 'ls', '/var/lib/mysql'];
  t.is(await p2c.ok('run', '--rm', '-v', 'db:/data/mysql', ...list), 'from-image');
  t.is(await p2c.ok('run', '--rm', '--tmpfs', '/data/mysql:notmpcopyup', ...list), '');
  t.is(await p2c.ok('volume', 'ls', '-q'), 'db');
  await p2c.ok('create', '--name', 'c', 'test:latest', 'true');
  t.is((await p2c.ok('volume', 'ls', '-q')).split('\n').length, 2);
  const twice = await p2c.call('run', '--rm', '-v', 'db:/data/mysql', '-v', 'other:/var/lib/mysql', ...list);
  t.regex(twice.stderr, /two volumes lie on '\/data\/mysql'/);
});

test('of one that an older p2c made, a container that has it says that it is not new', async (t) => {
  if (!ready(t)) return;
  const p2c = await runner(t, TREE);
  const age = (name: string): void => {
    const record = { name, created: '2024-01-01T00:00:00.000Z', anonymous: false, labels: {} };
    writeFileSync(join(p2c.store.root, 'volumes', name, 'volume.json'), JSON.stringify(record));
  };
  const listed = (name: string) => p2c.ok('run', '--rm', '-v', `${name}:/srv/data`, 'test:latest', 'ls', '/srv/data');
  for (const name of ['unused', 'held']) await p2c.ok('volume', 'create', name);
  await p2c.ok('create', '-v', 'held:/nothing', 'test:latest', 'true');
  age('unused');
  age('held');
  t.is(await listed('unused'), 'from-image');
  t.is(await listed('held'), '');
});
