/** Sessions over a real sshd: what OpenSSH itself does, refuses and hangs up on. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { type ConnectOptions, connect } from '../../src/ssh/connect.ts';
import { requirePrivilege } from '../../src/ssh/privilege.ts';
import { Secret } from '../../src/ssh/secret.ts';
import type { Session } from '../../src/ssh/session.ts';
import { parseTarget, type Target } from '../../src/ssh/target.ts';
import type { ConnectOnce } from '../helpers/connect-once.ts';
import { labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { startAgent } from '../helpers/ssh-agent.ts';
import { descendants, endProcesses, generateKey, type Sshd, startSshd } from '../helpers/sshd.ts';

const run = promisify(execFile);

const targetOf = (sshd: Sshd): Target => parseTarget(`root@127.0.0.1:${sshd.port}`);
const optionsOf = (sshd: Sshd): ConnectOptions => ({
  identities: [sshd.identity],
  knownHostsFiles: [sshd.knownHosts],
  agent: null,
});

test('root logs in with a key and runs a command', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t);
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  t.is(session.privilege, 'root');
  const result = await session.run({ purpose: 'speak', script: 'echo hello; echo bye >&2; exit 3' });
  t.is(result.stdout.toString(), 'hello\n');
  t.is(result.stderr, 'bye\n');
  t.is(result.code, 3);
  t.is((await session.run({ purpose: 'die', script: 'kill -9 $$' })).code, 137);
});

test('a large stream arrives whole, through several new keys', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['RekeyLimit 4M'] });
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  const bytes = 64 * 1024 * 1024;
  const script = `yes 0123456789abcdef | head -c ${bytes} | tee /dev/fd/3 3>&1 >/dev/null; exit 5`;
  const stream = await session.stream({ purpose: 'pour', script });
  const hash = createHash('sha256');
  let received = 0;
  for await (const chunk of stream.stdout) {
    hash.update(chunk);
    received += chunk.length;
  }
  t.is(received, bytes);
  t.is((await stream.done).code, 5);
  const expected = await run('sh', ['-c', `yes 0123456789abcdef | head -c ${bytes} | sha256sum`]);
  t.is(expected.stdout.split(' ')[0], hash.digest('hex'));
});

test('sshd that dies in the middle of a stream', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t);
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  const stream = await session.stream({ purpose: 'pour', script: 'cat /dev/zero' });
  const waiting = session.run({ purpose: 'wait', script: 'sleep 60' });
  waiting.catch(() => {});
  const read = async (): Promise<void> => {
    let bytes = 0;
    for await (const chunk of stream.stdout) {
      bytes += chunk.length;
      if (bytes < 10_000_000 || sshd.process.pid === undefined) continue;
      // sshd before the commands, or it would tell how those ended.
      endProcesses((await descendants(sshd.process.pid)).reverse());
      bytes = Number.NEGATIVE_INFINITY;
    }
  };
  await t.throwsAsync(read(), { code: 'ssh.lost' });
  await t.throwsAsync(waiting, { code: 'ssh.lost' });
});

test('more sessions at once than sshd allows: the others wait until one has ended', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['MaxSessions 3'] });
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  const doze = { purpose: 'doze', script: 'sleep 0.7; exit 4' };
  const results = await Promise.all(Array.from({ length: 8 }, () => session.run(doze)));
  t.deepEqual(
    results.map(({ code }) => code),
    Array.from({ length: 8 }, () => 4),
  );
});

test('what comes first gets in first, where sshd allows one session', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['MaxSessions 1'] });
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  const order: number[] = [];
  const numbered = async (number: number): Promise<void> => {
    await session.run({ purpose: `number ${number}`, script: 'sleep 0.2' });
    order.push(number);
  };
  const first = [0, 1, 2, 3].map(numbered);
  // By then the first runs, and the others have been refused.
  await new Promise((resolve) => setTimeout(resolve, 100));
  await Promise.all([...first, ...[4, 5, 6, 7].map(numbered)]);
  t.deepEqual(order, [0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a session that sshd has no room for within the time limit', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['MaxSessions 1'] });
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  const long = await session.stream({ purpose: 'doze', script: 'echo on; sleep 600' });
  await long.stdout[Symbol.asyncIterator]().next();
  const second = session.run({ purpose: 'second', script: 'true', timeoutMs: 1500 });
  await t.throwsAsync(second, { code: 'ssh.channel', message: /opened no channel for 'second'/ });
  long.kill();
});

test('one command after the other, where sshd allows one at a time', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['MaxSessions 1'] });
  await using session = await connect(targetOf(sshd), optionsOf(sshd));
  for (let count = 0; count < 30; count += 1) {
    t.is((await session.run({ purpose: `exit ${count}`, script: `exit ${count}` })).code, count);
  }
});

test('hashed known hosts, and keys of one type only', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t);
  for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
    const file = join(sshd.folder, `known-${type}`);
    await writeFile(file, `[127.0.0.1]:${sshd.port} ${await readFile(sshd.hostKey(type), 'utf8')}`);
    await run('ssh-keygen', ['-H', '-f', file]);
    t.regex(await readFile(file, 'utf8'), /^\|1\|/);
    await using session = await connect(targetOf(sshd), { ...optionsOf(sshd), knownHostsFiles: [file] });
    t.is(session.privilege, 'root');
  }
});

test('what p2c remembers of a host key satisfies ssh, and its fingerprint is the one ssh-keygen shows', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh'])) return;
  const sshd = await startSshd(t);
  const file = join(sshd.folder, 'fresh');
  const options = { ...optionsOf(sshd), knownHostsFiles: [file] };
  const { stdout } = await run('ssh-keygen', ['-lf', sshd.hostKey('ed25519')]);
  const [, fingerprint = 'none'] = stdout.split(' ');
  const refusal = await t.throwsAsync(connect(targetOf(sshd), options), { code: 'ssh.host-key-unknown' });
  t.true(refusal?.message.includes(fingerprint));
  const session = await connect(targetOf(sshd), { ...options, acceptNewHostKey: true });
  await session[Symbol.asyncDispose]();
  const strict = ['-F', 'none', '-o', 'StrictHostKeyChecking=yes', '-o', `UserKnownHostsFile=${file}`];
  const answer = await run('ssh', [...strict, '-i', sshd.identity, '-p', `${sshd.port}`, 'root@127.0.0.1', 'echo in']);
  t.is(answer.stdout, 'in\n');
});

test('an agent with more keys than the server looks at', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh-agent', 'ssh-add'])) return;
  const sshd = await startSshd(t, { config: ['MaxAuthTries 2'] });
  const keys = [1, 2, 3, 4].map((number) => join(sshd.folder, `key${number}`));
  for (const key of keys) await generateKey(key, 'ed25519');
  const socket = await startAgent(t, sshd.folder, keys);
  const error = await t.throwsAsync(connect(targetOf(sshd), { ...optionsOf(sshd), agent: socket }), {
    code: 'ssh.auth',
  });
  t.regex(error?.message ?? '', /Tried: agent.*Too many authentication failures/);
  // The key that opens is in the agent first: nothing else is tried.
  await appendFile(join(sshd.folder, 'authorized_keys'), await readFile(`${keys[0]}.pub`));
  await using session = await connect(targetOf(sshd), { ...optionsOf(sshd), agent: socket });
  t.is(session.privilege, 'root');
});

test('an account that is locked out', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['DenyUsers root'] });
  const error = await t.throwsAsync(connect(targetOf(sshd), optionsOf(sshd)), { code: 'ssh.auth' });
  t.regex(error?.message ?? '', /Tried: key .*it takes publickey/);
});

test('a server with algorithms of long ago: named where they are missing, and used where they are allowed', async (t) => {
  if (!requireRoot(t)) return;
  const old = [
    ['KexAlgorithms diffie-hellman-group1-sha1', 'key exchange', 'diffie-hellman-group1-sha1'],
    ['HostKeyAlgorithms ssh-rsa', 'host key', 'ssh-rsa'],
    ['Ciphers 3des-cbc', 'cipher', '3des-cbc'],
  ] as const;
  for (const [line, kind, name] of old) {
    const sshd = await startSshd(t, { config: [line], keyTypes: ['rsa'] });
    const error = await t.throwsAsync(connect(targetOf(sshd), optionsOf(sshd)), { instanceOf: P2cError });
    t.is(error.code, 'ssh.algorithms');
    t.true(error.message.includes(`no ${kind} algorithm in common: it offers only ${name}`), error.message);
    t.regex(error.hint ?? '', /--legacy-ssh/);
  }
  // What sshd takes of users' keys is not among it: one of today says that it takes SHA-2, also where it is told not to.
  const config = [...old.map(([line]) => line), 'MACs hmac-sha1'];
  const sshd = await startSshd(t, { config, keyTypes: ['rsa'] });
  const key = join(sshd.folder, 'rsa_key');
  await generateKey(key, 'rsa');
  await appendFile(join(sshd.folder, 'authorized_keys'), await readFile(`${key}.pub`));
  await using session = await connect(targetOf(sshd), { ...optionsOf(sshd), identities: [key], legacy: true });
  t.is((await session.run({ purpose: 'speak', script: 'echo in' })).stdout.toString(), 'in\n');
});

test('a server that says it knows SHA-2, and takes none of it: the hint names the cause', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t, { config: ['PubkeyAcceptedAlgorithms ssh-rsa'] });
  const key = join(sshd.folder, 'rsa_key');
  await generateKey(key, 'rsa');
  await appendFile(join(sshd.folder, 'authorized_keys'), await readFile(`${key}.pub`));
  const error = await t.throwsAsync(connect(targetOf(sshd), { ...optionsOf(sshd), identities: [key] }), {
    instanceOf: P2cError,
  });
  t.is(error.code, 'ssh.auth');
  t.regex(error.hint ?? '', /rsa key is shown with SHA-2 .* another type of key helps/);
});

test('nothing of a session keeps the process alive once it is disposed of', async (t) => {
  if (!requireRoot(t)) return;
  const sshd = await startSshd(t);
  const home = fileURLToPath(new URL('../..', import.meta.url));
  const { port, identity, knownHosts } = sshd;
  const argument: ConnectOnce = { port, identity, knownHosts };
  const args = ['--import=tsx', 'test/helpers/connect-once.ts', JSON.stringify(argument)];
  const { stdout } = await run(process.execPath, args, { cwd: home, timeout: 120_000 });
  t.is(stdout, 'out\nerror ssh.lost\nend\n');
});

test('the lab: root, sudo without a password, and an ordinary user', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return;
  const lab = await labServer(t, 'ssh');
  const options = { identities: [lab.identity], knownHostsFiles: [lab.knownHosts], agent: null };
  const as = (user: string): Target => parseTarget(`${user}@${lab.address}:${lab.port}`);
  const whoami = { purpose: 'see who', script: "id -un; printf '%s' \"it's\"" };
  for (const [user, privilege, name] of [
    ['root', 'root', 'root'],
    ['admin', 'sudo', 'root'],
    ['joe', 'none', 'joe'],
  ] as const) {
    await using session = await connect(as(user), options);
    t.is(session.privilege, privilege);
    t.is((await session.run(whoami)).stdout.toString(), `${name}\nit's`);
    if (privilege === 'none') t.throws(() => requirePrivilege(session), { code: 'source.privilege' });
    // OpenSSH passes signals on to the commands of all but root.
    if (privilege === 'none') await givesUp(session);
  }
  const password = (await readFile(lab.passwordFile, 'utf8')).trimEnd();
  const asked = {
    knownHostsFiles: [lab.knownHosts],
    agent: null,
    identities: [],
    prompt: async () => new Secret(password),
  };
  await using session = await connect(as('joe'), asked);
  t.is(session.privilege, 'none');
  await t.throwsAsync(connect(as('joe'), { ...asked, prompt: async () => new Secret('wrong') }), {
    code: 'ssh.auth',
    message: /Tried: .*password/,
  });
});

/** A command that is given up ends on the source too. */
async function givesUp(session: Session): Promise<void> {
  const script = 'exec sleep 987654';
  const code = 'ssh.command-timeout';
  const given = session.run({ purpose: 'wait', script, timeoutMs: 500 });
  const error: unknown = await given.catch((reason: unknown) => reason);
  if (!(error instanceof P2cError) || error.code !== code) throw error;
  const count = { purpose: 'count', script: 'ps -eo args | grep -c "^sleep 98765[4]"' };
  for (let attempt = 0; attempt < 100; attempt += 1) {
    if ((await session.run(count)).stdout.toString() === '0\n') return;
    await new Promise((next) => setTimeout(next, 50));
  }
  throw new Error('it still runs');
}
