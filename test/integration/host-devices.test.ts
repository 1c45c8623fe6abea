/** Device nodes: those of this machine are not a container's, and those of a container are not this machine's. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onEachEngine } from '../helpers/engines.ts';

const CLI = fileURLToPath(new URL('../../dist/cli.cjs', import.meta.url));

onEachEngine(
  'what is mounted below a volume opens no device either, and keeps its own options',
  async (t, runner, engine) => {
    const p2c = await runner(t);
    const below = join(p2c.outside, 'a b');
    mkdirSync(below);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'nosuid,noexec', 'p2c-test', below]);
    t.teardown(() => execFileSync('umount', [below]));
    const { dev } = statSync('/');
    const script = `mknod "/vol/a b/n" b ${dev >> 8} ${dev & 0xff} && head -c 1 "/vol/a b/n" >/dev/null 2>&1 && echo opened
    grep ' /vol/a.040b ' /proc/self/mountinfo | cut -d' ' -f6`;
    const run = ['run', '--rm', '-v', `${p2c.outside}:/vol`, 'test:latest', 'sh', '-c', script];
    const flags = await p2c.ok(...run);
    t.regex(flags, engine === 'namespaces' ? /^rw,nosuid,nodev,noexec/ : /^rw,nosuid.*noexec/);
  },
);

const OWN = 'for at in 0 1 2; do test -c /proc/self/fd/$at && echo "$at is a device"; done';

onEachEngine('a process without input, or without listeners, has no device of this machine open', async (t, runner) => {
  const p2c = await runner(t);
  const { mode } = statSync('/dev/null');
  const script = `${OWN}; cat; cat /dev/stdin; chmod 640 /proc/self/fd/0; echo done`;
  t.is(await p2c.ok('run', '--rm', 'test:latest', 'sh', '-c', script), 'done');
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sh', '-c', `${OWN} >/own; sleep 1000`);
  t.is(await p2c.ok('exec', 'c', 'sh', '-c', script), 'done');
  t.is(await p2c.ok('exec', '-u', 'web', 'c', 'sh', '-c', 'cat /dev/stdin; echo done'), 'done');
  // It writes more than a pipe holds, after the p2c that began it has ended.
  const long = `{ ${OWN}; } >/out; sleep 1; head -c 1000000 /dev/zero && head -c 1000000 /dev/zero >&2 && echo done >>/out`;
  await p2c.ok('exec', '-d', 'c', 'sh', '-c', long);
  while (!/done/.test((await p2c.call('exec', 'c', 'cat', '/out')).stdout));
  t.is(await p2c.ok('exec', 'c', 'cat', '/out', '/own'), 'done');
  t.is(statSync('/dev/null').mode, mode);
});

onEachEngine('a file that exec is given to read is not the container’s to change', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const file = join(p2c.outside, 'file');
  writeFileSync(file, 'of the machine\n');
  chmodSync(file, 0o600);
  const script = 'cat /dev/stdin; chmod 777 /proc/self/fd/0; echo planted >/proc/self/fd/0; true';
  const said = execFileSync(process.execPath, [CLI, 'exec', '-i', 'c', 'sh', '-c', script], {
    env: { ...process.env, P2C_ROOT: p2c.store.root },
    stdio: [openSync(file, 'r'), 'pipe', 'pipe'],
    encoding: 'utf8',
  });
  t.is(said, 'of the machine\n');
  t.is(readFileSync(file, 'utf8'), 'of the machine\n');
  t.is(statSync(file).mode & 0o777, 0o600);
});

onEachEngine('cp makes no device nodes of this machine, and says so; a tar stream has them', async (t, runner) => {
  const p2c = await runner(t);
  const script = 'mkdir /d; mknod /d/disk b 8 0; mknod /d/mem c 1 1; ln /d/mem /d/hard; echo x >/d/x; sleep 1000';
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sh', '-c', script);
  while ((await p2c.call('exec', 'c', 'test', '-e', '/d/x')).code !== 0);
  for (const name of ['running', 'stopped']) {
    const into = join(p2c.outside, name);
    const { code, stderr } = await p2c.call('cp', 'c:/d', into);
    t.is(code, 0, stderr);
    t.deepEqual(readdirSync(into), ['x'], name);
    t.regex(stderr, /^p2c: '\/[a-z]*\/disk' is a device node, .*: left out$/m);
    t.is(stderr.split('\n').length, 4, stderr);
    t.true((await p2c.call('cp', 'c:/d', '-')).stdout.includes('d/disk'));
    await p2c.ok('stop', '-t', '0', 'c');
  }
});
