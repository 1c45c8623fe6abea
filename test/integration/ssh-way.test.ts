/** The way to a server: over jump hosts, by what ssh_config says, with the keys that are meant. */
import { execFile } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { P2cError } from '../../src/errors.ts';
import { type ConnectOptions, connect } from '../../src/ssh/connect.ts';
import { Secret } from '../../src/ssh/secret.ts';
import { parseJumps, parseTarget } from '../../src/ssh/target.ts';
import { failure } from '../helpers/failure.ts';
import { freePort } from '../helpers/port.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { startAgent } from '../helpers/ssh-agent.ts';
import { generateKey, type Sshd, startSshd } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

/** Three servers of which the later are meant to be reached over the earlier; one key opens all, one file knows all. */
async function chain(t: ExecutionContext, config: readonly string[] = []) {
  const [first, second, last] = await Promise.all([
    startSshd(t, { keyTypes: ['ed25519'], config: [...config] }),
    startSshd(t, { keyTypes: ['ed25519'] }),
    startSshd(t, { keyTypes: ['ed25519'] }),
  ]);
  const key = await readFile(`${first.identity}.pub`);
  for (const sshd of [second, last]) await appendFile(join(sshd.folder, 'authorized_keys'), key);
  const knownHosts = join(first.folder, 'all');
  const known = await Promise.all([first, second, last].map((sshd) => readFile(sshd.knownHosts, 'utf8')));
  await writeFile(knownHosts, known.join(''));
  // Of jump hosts too, which a key that is named for the target does not open.
  const file = join(first.folder, 'keys');
  await writeFile(file, `IdentityFile ${first.identity}\n`);
  const options: ConnectOptions = { agent: null, sshConfig: { file }, knownHostsFiles: [knownHosts] };
  return { first, second, last, knownHosts, options };
}

const address = ({ port }: Sshd): string => `root@127.0.0.1:${port}`;

test('over two jump hosts: each verified, the data whole, and nothing left open', async (t) => {
  if (!requireRoot(t)) return;
  const { first, second, last, knownHosts, options } = await chain(t);
  const target = parseTarget(address(last));
  const jumps = parseJumps(`${address(first)},${address(second)}`);
  const session = await connect(target, { ...options, jumps });
  const { stdout } = await session.run({
    purpose: 'pour',
    script: 'head -c 20000000 /dev/zero',
    maxOutputBytes: 30_000_000,
  });
  t.is(stdout.length, 20_000_000);
  const sent = await session.run({ purpose: 'count', script: 'wc -c', input: [Buffer.alloc(5_000_000)] });
  t.is(sent.stdout.toString().trim(), '5000000');
  await session[Symbol.asyncDispose]();
  for (const sshd of [first, second, last]) t.regex(sshd.log(), /Accepted publickey for root/);

  const strange = join(first.folder, 'without-second');
  const lines = (await readFile(knownHosts, 'utf8')).split('\n');
  await writeFile(strange, lines.filter((line) => !line.includes(`:${second.port} `)).join('\n'));
  const unknown = await failure(connect(target, { ...options, jumps, knownHostsFiles: [strange] }));
  t.is(unknown.code, 'ssh.host-key-unknown');
  t.true(unknown.message.includes(`the jump host ${address(second)}`), unknown.message);
});

test('a jump host that reaches nobody, or lets nobody through', async (t) => {
  if (!requireRoot(t)) return;
  const { first, options } = await chain(t, ['AllowTcpForwarding no']);
  const open = await startSshd(t, { keyTypes: ['ed25519'] });
  const key = await readFile(`${first.identity}.pub`);
  await appendFile(join(open.folder, 'authorized_keys'), key);
  const knownHostsFiles = [...(options.knownHostsFiles ?? []), open.knownHosts];
  const target = parseTarget(`root@127.0.0.1:${await freePort()}`);
  for (const jump of [first, open]) {
    const error = await failure(connect(target, { ...options, knownHostsFiles, jumps: parseJumps(address(jump)) }));
    t.is(error.code, 'ssh.jump');
    t.true(error.message.startsWith(`the jump host ${address(jump)} does not reach 127.0.0.1 port ${target.port}`));
  }
});

test('a jump host that dies ends what goes over it', async (t) => {
  if (!requireRoot(t)) return;
  const { first, last, options } = await chain(t);
  const session = await connect(parseTarget(address(last)), { ...options, jumps: parseJumps(address(first)) });
  t.teardown(() => session[Symbol.asyncDispose]());
  const waiting = session.run({ purpose: 'wait', script: 'sleep 60' });
  waiting.catch(() => {});
  const pids = await promisify(execFile)('ps', ['-o', 'pid=', '--ppid', String(first.process.pid)]);
  for (const pid of pids.stdout.trim().split(/\s+/)) process.kill(Number(pid), 'SIGKILL');
  await t.throwsAsync(waiting, { code: 'ssh.lost' });
});

test('an alias of ssh_config, with its jump host, keys, alias of the host key and known hosts', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh'])) return;
  const { first, last, knownHosts } = await chain(t);
  const named = join(first.folder, 'named');
  await writeFile(named, `the-old-one ${await readFile(last.hostKey('ed25519'), 'utf8')}`);
  const included = join(first.folder, 'included');
  await writeFile(included, `Host old\n HostKeyAlias the-old-one\n UserKnownHostsFile ${named}\n`);
  const file = join(first.folder, 'config');
  await writeFile(
    file,
    [
      `Include ${included}`,
      'Host old',
      ' HostName 127.0.0.1',
      ` Port ${last.port}`,
      ' User root',
      ' ProxyJump gate',
      'Host gate',
      ' HostName 127.0.0.1',
      ` Port ${first.port}`,
      ` UserKnownHostsFile ${join(first.folder, 'none')} ${knownHosts}`,
      'Match all',
      ' User root',
      ' IdentityFile ~/.ssh/surely-not-there',
      ` IdentityFile ${first.identity}`,
      ' IdentityAgent none',
      ' ProxyJump gate',
      '',
    ].join('\n'),
  );
  await using session = await connect(parseTarget('old'), { sshConfig: { file } });
  t.is(session.target.name, 'old');
  t.is(session.target.user, 'root');
  t.is(session.target.port, last.port);
  t.is(session.privilege, 'root');
  t.regex(first.log(), /Accepted publickey/);
});

test('a ProxyCommand carries the connection; one that fails is told', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh'])) return;
  const { first, last, knownHosts, options: known } = await chain(t);
  const options = { ...known, identities: [first.identity] };
  const file = join(last.folder, 'config');
  const lines = (command: string): string =>
    `Host old\n HostName 127.0.0.1\n Port ${last.port}\n User root\n ProxyCommand ${command}\n`;
  await writeFile(
    file,
    lines(
      `ssh -F none -i ${first.identity} -o UserKnownHostsFile=${knownHosts} -p ${first.port} -W %h:%p root@127.0.0.1`,
    ),
  );
  await using session = await connect(parseTarget('old'), { ...options, sshConfig: { file } });
  const { stdout } = await session.run({ purpose: 'pour', script: 'head -c 3000000 /dev/zero' });
  t.is(stdout.length, 3_000_000);
  await writeFile(file, lines('false'));
  t.is((await failure(connect(parseTarget('old'), { ...options, sshConfig: { file } }))).code, 'ssh.failed');
});

test('IdentitiesOnly keeps the other keys of the agent back', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh', 'ssh-agent', 'ssh-add'])) return;
  const sshd = await startSshd(t, { config: ['MaxAuthTries 2'] });
  const others = [1, 2, 3].map((number) => join(sshd.folder, `key${number}`));
  for (const key of others) await generateKey(key, 'ed25519');
  const agent = await startAgent(t, sshd.folder, [...others, sshd.identity]);
  const file = join(sshd.folder, 'config');
  // The public key alone says which of the agent's it is.
  await writeFile(file, `Host *\n IdentityFile ${sshd.identity}.pub\n IdentitiesOnly yes\n`);
  const target = parseTarget(`root@127.0.0.1:${sshd.port}`);
  const options: ConnectOptions = { agent, knownHostsFiles: [sshd.knownHosts] };
  await using session = await connect(target, { ...options, sshConfig: { file } });
  t.is(session.privilege, 'root');
  t.is((await failure(connect(target, options))).code, 'ssh.auth');
  await using named = await connect(target, { ...options, identities: [sshd.identity] });
  t.is(named.privilege, 'root', 'the one that is named is offered first');
});

test('locked keys are offered to a real sshd before they are unlocked, which counts for no attempt', async (t) => {
  if (!requireRoot(t)) return;
  // Hangs up at the second failure: the one key that it does not take is all that it may be shown in vain.
  const sshd = await startSshd(t, { config: ['MaxAuthTries 2'] });
  const keys = ['other', 'own'].map((name) => join(sshd.folder, name));
  for (const key of keys) await generateKey(key, 'rsa', 'passphrase');
  await appendFile(join(sshd.folder, 'authorized_keys'), await readFile(join(sshd.folder, 'own.pub')));
  const asked: string[] = [];
  const prompt = async (question: string): Promise<Secret> => {
    asked.push(question);
    return new Secret('passphrase');
  };
  const target = parseTarget(`root@127.0.0.1:${sshd.port}`);
  await using session = await connect(target, {
    agent: null,
    identities: keys,
    knownHostsFiles: [sshd.knownHosts],
    prompt,
  });
  t.is(session.privilege, 'root');
  t.deepEqual(asked, [`Passphrase of ${join(sshd.folder, 'own')}:`]);
});

test('configurations that lead nowhere', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const folder = await temporaryFolder(t);
  const file = join(folder, 'config');
  const attempt = async (text: string): Promise<P2cError> => {
    await writeFile(file, text);
    return failure(connect(parseTarget('old'), { sshConfig: { file } }));
  };
  t.is(
    (await attempt('Host old\n ProxyJump one\nHost one\n ProxyJump two\nHost two\n ProxyJump one\n')).code,
    'ssh.jump-loop',
  );
  const wrong = await attempt('Host old\n Prot 22\n');
  t.is(wrong.code, 'ssh.config');
  t.regex(wrong.message, /option: prot/);
  t.is(wrong.exitCode, 2);
  t.is((await attempt(`Host old\n IdentityFile \${P2C_NOT_SET}/key\n`)).code, 'ssh.config');
  const missing = await failure(connect(parseTarget('old'), { sshConfig: { file: join(folder, 'none') } }));
  t.is(missing.code, 'ssh.config');
});
