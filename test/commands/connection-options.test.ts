/** What the options of a connection mean, and what is wrong with them before anything is sent. */
import { existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { type ConnectionOptions, connectOptions } from '../../src/commands/connection-options.ts';
import { P2cError } from '../../src/errors.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

test('nothing given: what ssh itself would read, and what is configured there', (t) => {
  const options = connectOptions({});
  t.deepEqual(options.sshConfig, {});
  t.is(options.retries, 6);
  for (const unset of [options.connectTimeoutMs, options.keepaliveMs, options.become, options.jumps])
    t.is(unset, undefined);
});

test('what is given', (t) => {
  const options = connectOptions({
    jump: 'ann@a,b:2200',
    'ssh-config': '/etc/other',
    'connect-timeout': 2.5,
    'server-alive-interval': 5,
    become: 'su',
    'host-key-fingerprint': [`SHA256:${'a'.repeat(43)}=`],
  });
  t.deepEqual(
    options.jumps?.map(({ host, port }) => `${host} ${port}`),
    ['a 22', 'b 2200'],
  );
  t.deepEqual(options.sshConfig, { file: '/etc/other' });
  t.is(connectOptions({ 'ssh-config': 'none' }).sshConfig, undefined);
  t.deepEqual(connectOptions({ jump: 'none' }).jumps, []);
  t.is(options.connectTimeoutMs, 2500);
  t.is(options.keepaliveMs, 5000);
  t.is(options.become?.method, 'su');
  t.deepEqual(options.hostKeyFingerprints, [`SHA256:${'a'.repeat(43)}`]);
});

const WRONG: readonly Partial<ConnectionOptions>[] = [
  { 'connect-timeout': 0 },
  { 'connect-timeout': Number.NaN },
  { 'server-alive-interval': -1 },
  { 'server-alive-count-max': 1.5 },
  { retries: -1 },
  { jump: '-oProxyCommand=id' },
  { 'host-key-fingerprint': ['MD5:00:11'] },
  { 'password-fd': 1.5 },
  { 'password-fd': 3, 'password-command': 'true' },
  { 'become-password-fd': 3, 'become-password-command': 'true' },
  { 'ask-become-pass': true, 'become-password-fd': 3 },
];
for (const options of WRONG) {
  test(`${JSON.stringify(options)} is refused`, (t) => {
    const error = t.throws(() => connectOptions(options));
    t.like(error, { exitCode: 2 });
  });
}

test('a password comes from a file descriptor, which is read once', async (t) => {
  const file = join(await temporaryFolder(t), 'password');
  writeFileSync(file, "it's long\nand more\n");
  const fd = openSync(file, 'r');
  const first = connectOptions({ 'password-fd': fd });
  t.is((await first.password?.())?.reveal(), "it's long");
  t.is((await connectOptions({ 'password-fd': fd }).password?.())?.reveal(), "it's long");
  await t.throwsAsync(async () => connectOptions({ 'password-fd': 987 }).password?.(), { code: 'ssh.password' });
});

test('a program that is asked for a password ends with an interruption, and what it started', async (t) => {
  const folder = await temporaryFolder(t);
  const [pid, next] = [join(folder, 'pid'), join(folder, 'next')];
  const command = `sh -c 'sleep 71 & echo $! >${pid}.new; mv ${pid}.new ${pid}; wait; touch ${next}'; touch ${next}`;
  const controller = new AbortController();
  const waiting = connectOptions({ 'password-command': command }, controller.signal).password?.();
  while (!existsSync(pid)) await setTimeout(10);
  const file = `/proc/${readFileSync(pid, 'utf8').trim()}/cmdline`;
  const sleeping = (): boolean => existsSync(file) && readFileSync(file, 'utf8').startsWith('sleep');
  while (!sleeping()) await setTimeout(10);
  controller.abort(new P2cError('interrupted', { code: 'interrupted' }));
  await t.throwsAsync(async () => waiting, { code: 'interrupted' });
  while (sleeping()) await setTimeout(10);
  await setTimeout(100);
  t.false(existsSync(next));
});

test('after an interruption a program is asked anew', async (t) => {
  const file = join(await temporaryFolder(t), 'second');
  const command = `if [ -e ${file} ]; then echo later; else touch ${file}; exec sleep 60; fi`;
  const controller = new AbortController();
  const { password } = connectOptions({ 'password-command': command }, controller.signal);
  const waiting = password?.();
  while (!existsSync(file)) await setTimeout(10);
  controller.abort(new P2cError('interrupted', { code: 'interrupted' }));
  await t.throwsAsync(async () => waiting, { code: 'interrupted' });
  t.is((await password?.())?.reveal(), 'later');
});

test('a password comes from a program, whose output is never told', async (t) => {
  const options = connectOptions({ 'become-password-command': 'echo from-a-program' });
  t.is(options.become?.method, 'sudo');
  t.is((await options.become?.password?.())?.reveal(), 'from-a-program');
  const failing = connectOptions({ 'password-command': 'echo s3cret; exit 3' });
  const error = await t.throwsAsync(async () => failing.password?.(), { code: 'ssh.password' });
  t.regex(error?.message ?? '', /ended with 3/);
  t.false(JSON.stringify(error).includes('s3cret'));
  await t.throwsAsync(async () => connectOptions({ 'password-command': 'true' }).password?.(), {
    message: /no password/,
  });
});
