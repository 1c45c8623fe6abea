/** `p2c cp` and a container at work: its mounts, its kernel's files, and what cannot be written. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ExecutionContext } from 'ava';
import { findContainer } from '../../src/runtime/containers.ts';
import { runningInit, startLive } from '../../src/runtime/copy/live.ts';
import { onEachEngine } from '../helpers/engines.ts';
import { requirePrograms } from '../helpers/require.ts';
import type { Runner } from '../helpers/runner.ts';

/** @returns where it lies, and what a copy of it holds. */
async function copied(p2c: Runner, path: string, name: string): Promise<string> {
  await p2c.ok('cp', `c:${path}`, join(p2c.outside, name));
  return readFileSync(join(p2c.outside, name), 'utf8');
}

async function refused(t: ExecutionContext, p2c: Runner, words: readonly string[], why: RegExp): Promise<void> {
  const { code, stderr } = await p2c.call('cp', ...words);
  t.not(code, 0, words.join(' '));
  t.regex(stderr, why, words.join(' '));
}

onEachEngine('what is mounted in a running container is copied out as the container sees it', async (t, runner) => {
  const p2c = await runner(t, { 'var/cache/old': 'of the image', 'srv/in': { link: '/dev/shm/x' } });
  const mounts = ['--tmpfs', '/var/cache:notmpcopyup', '--mount', 'type=tmpfs,dst=/opt/a b', '-v', 'data:/data'];
  const script = `echo one >/var/cache/new; echo two >'/opt/a b/x'; echo three >/dev/shm/x; echo four >/data/x
    mkdir /var/cache/deep; ln -s /etc/hostname /var/cache/deep/link; sleep 1000`;
  await p2c.ok('run', '-d', '--name', 'c', '--read-only', ...mounts, 'test:latest', 'sh', '-c', script);
  while ((await p2c.call('exec', 'c', 'test', '-L', '/var/cache/deep/link')).code !== 0);
  t.is(await copied(p2c, '/var/cache/new', '1'), 'one\n');
  t.is(await copied(p2c, '/opt/a b/x', '2'), 'two\n');
  t.is(await copied(p2c, '/dev/shm/x', '3'), 'three\n');
  t.is(await copied(p2c, '/data/x', '4'), 'four\n');
  t.is(await copied(p2c, '/srv/in', '5'), 'three\n');
  t.is(await copied(p2c, '/var/cache/deep/../deep/link', '6'), `${await p2c.ok('exec', 'c', 'hostname')}\n`);
  await p2c.ok('cp', 'c:/var', join(p2c.outside, 'var'));
  t.deepEqual(readdirSync(join(p2c.outside, 'var/cache')).sort(), ['deep', 'new']);
  await p2c.ok('cp', 'c:/var/cache/.', p2c.outside);
  t.true(existsSync(join(p2c.outside, 'new')));
  t.regex((await p2c.call('cp', 'c:/var/cache', '-')).stdout, /cache\/new/);
  await refused(t, p2c, ['c:/var/cache/old', p2c.outside], /does not exist/);
  const file = join(p2c.outside, '1');
  await p2c.ok('cp', file, 'c:/dev/shm/y');
  await p2c.ok('cp', file, 'c:/opt/a b');
  t.is(await p2c.ok('exec', 'c', 'cat', '/dev/shm/y', '/opt/a b/1'), 'one\none');
  await p2c.ok('cp', 'c:/', join(p2c.outside, 'all'));
  t.is(readFileSync(join(p2c.outside, 'all/dev/shm/x'), 'utf8'), 'three\n');
  t.deepEqual(readdirSync(join(p2c.outside, 'all/proc')), []);
  t.deepEqual(readdirSync(join(p2c.outside, 'all/sys')), []);
  await p2c.ok('stop', '-t', '0', 'c');
  t.is(await copied(p2c, '/var/cache/old', 'old'), 'of the image');
});

onEachEngine('what is copied in belongs to the container’s user, whoever had it', async (t, runner) => {
  const p2c = await runner(t);
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'x');
  chownSync(file, 12_345, 23_456);
  const owner = (path: string): Promise<string> => p2c.ok('exec', 'c', 'stat', '-c', '%u:%g', path);
  await p2c.ok('run', '-d', '--name', 'c', '-u', 'web', 'test:latest', 'sleep', '1000');
  await p2c.ok('cp', file, 'c:/tmp/running');
  await p2c.ok('cp', '--no-archive', file, 'c:/tmp/kept');
  t.is(await owner('/tmp/running'), '1000:1000');
  t.is(await owner('/tmp/kept'), '12345:23456');
  await p2c.ok('stop', '-t', '0', 'c');
  await p2c.ok('cp', file, 'c:/tmp/stopped');
  await p2c.ok('start', 'c');
  t.is(await owner('/tmp/stopped'), '1000:1000');
});

onEachEngine('what is copied to another owner runs with nobody’s rights but its caller’s', async (t, runner) => {
  if (!requirePrograms(t, ['setcap', 'getcap'])) return;
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', '-v', 'data:/data', 'test:latest', 'sleep', '1000');
  const data = join(p2c.store.root, 'volumes/data/_data/own');
  mkdirSync(data, { mode: 0o755 });
  writeFileSync(join(data, 'program'), '');
  chownSync(join(data, 'program'), 1000, 1000);
  execFileSync('setcap', ['cap_net_raw=ep', join(data, 'program')]);
  chmodSync(join(data, 'program'), 0o6755);
  chmodSync(data, 0o3777);
  const there = (path: string): [number, string] => [
    statSync(path).mode & 0o7777,
    execFileSync('getcap', [path], { encoding: 'utf8' }).replace(/^.* /, '').trim(),
  ];
  t.deepEqual(there(join(data, 'program')), [0o6755, 'cap_net_raw=ep']);
  for (const when of ['running', 'stopped']) {
    const to = (name: string): string => join(p2c.outside, `${when}-${name}`);
    await p2c.ok('cp', 'c:/data/own', to('own'));
    t.deepEqual(there(to('own/program')), [0o755, ''], when);
    t.is(statSync(to('own')).mode & 0o7777, 0o1777);
    await p2c.ok('cp', '--no-archive', 'c:/data/own', to('kept'));
    t.deepEqual(there(to('kept/program')), [0o6755, 'cap_net_raw=ep'], when);
    await p2c.ok('cp', to('kept/program'), `c:/data/${when}`);
    t.deepEqual(there(join(data, '..', when)), [0o755, ''], when);
    await p2c.ok('stop', '-t', '0', 'c');
  }
});

onEachEngine(
  'no link of a running container leads cp out of its root, not even one put in the way',
  async (t, runner) => {
    const p2c = await runner(t);
    const secret = join(p2c.outside, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'x'), 'of the machine');
    const links = [`${secret}`, `/proc/1/root${secret}`, `/../../../..${secret}`, '/usr', '/run/real', '/proc/1/cwd'];
    const script = `mkdir /run/real; echo inside >/run/real/x
    ${links.map((target, at) => `ln -s ${target} /run/${at}`).join('; ')}; sleep 1000`;
    await p2c.ok('run', '-d', '--name', 'c', '--tmpfs', '/run', 'test:latest', 'sh', '-c', script);
    while ((await p2c.call('exec', 'c', 'test', '-L', '/run/5')).code !== 0);
    for (const at of [0, 1, 2])
      await refused(t, p2c, [`c:/run/${at}/x`, join(p2c.outside, 'got')], /does not exist|kernel/);
    t.is(await copied(p2c, '/run/4/x', 'inside'), 'inside\n');
    // As if the folder had become a link after it was looked at.
    const container = await findContainer(p2c.store.root, 'c');
    const init = await runningInit(container);
    if (init === undefined) return t.fail('it does not run');
    for (const at of links.keys()) {
      const { output, ended } = startLive(container, init, `/run/${at}`, ['tar', '-cf', '-', '-C', '.', '.']);
      const stream = await text(output);
      t.notRegex(stream, /of the machine/, links[at]);
      if (stream !== '') continue;
      t.regex(String((await t.throwsAsync(ended))?.cause), /led out of the container|can't cd/, links[at]);
    }
    const { output } = startLive(container, { ...init, startTime: '1' }, '/run', ['tar', '-cf', '-', '.']);
    t.is(await text(output), '');
  },
);

onEachEngine('what the kernel makes up is refused by name, both ways', async (t, runner) => {
  const p2c = await runner(t);
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'x');
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const version = /'\/proc\/version' is made up by the kernel \(proc\).*\n.*p2c exec c cat \/proc\/version >FILE/;
  await refused(t, p2c, ['c:/proc/version', join(p2c.outside, 'v')], version);
  t.false(existsSync(join(p2c.outside, 'v')));
  await refused(t, p2c, ['c:/proc', p2c.outside], /'\/proc' is made up by the kernel/);
  await refused(t, p2c, ['c:/proc/self/status', p2c.outside], /'\/proc\/self\/status' is made up by the kernel/);
  await refused(t, p2c, ['c:/proc/nosuch', p2c.outside], /'c?:?\/proc\/nosuch' does not exist/);
  await refused(t, p2c, [file, 'c:/proc/x'], /'\/proc\/x' is made up by the kernel.*\n.*p2c exec -i c/);
});

onEachEngine('what cannot be written to a container is told with what helps', async (t, runner) => {
  const p2c = await runner(t);
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'x');
  await p2c.ok('run', '-d', '--name', 'c', '--read-only', '-v', 'data:/data', 'test:latest', 'sleep', '1000');
  const sealed = await p2c.call('cp', file, 'c:/etc/zz');
  t.is(sealed.code, 1);
  t.regex(sealed.stderr, /Read-only file system\n +hint: it is read-only while the container runs: copy to a volume/);
  const junk = async (): Promise<void> => {
    const { code, stderr } = await p2c.callWith('junk\n'.repeat(400), 'cp', '-', 'c:/data');
    t.is(code, 1);
    t.regex(stderr, /hint: what comes on standard input must be a whole tar stream/);
  };
  await junk();
  await p2c.ok('stop', '-t', '0', 'c');
  await junk();
  await p2c.ok('cp', file, 'c:/etc/zz');
});

onEachEngine('an image without tar is said to have none', async (t, runner) => {
  const p2c = await runner(t);
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'x');
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sh', '-c', 'rm /bin/tar; sleep 1000');
  while ((await p2c.call('exec', 'c', 'test', '-e', '/bin/tar')).code === 0);
  await refused(t, p2c, [file, 'c:/root/file'], /its own tar copies, and it has none: 'p2c stop' the container first/);
});
