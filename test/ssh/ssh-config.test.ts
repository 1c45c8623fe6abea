/** What `ssh -G` prints, read; and the tokens that it leaves for others to expand. */
import { chown, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { homedir, hostname } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { JoinedConfig } from '../../src/ssh/joined-config.ts';
import { routeTo } from '../../src/ssh/route.ts';
import { hostConfig, readHostConfig } from '../../src/ssh/ssh-config.ts';
import { parseJumps, parseTarget } from '../../src/ssh/target.ts';
import { expandPath, expandTokens } from '../../src/ssh/tokens.ts';
import { failure } from '../helpers/failure.ts';
import { requirePrograms } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const target = parseTarget('old');

test('what ssh prints where nothing is configured', (t) => {
  const config = hostConfig(
    'user ann\nhostname old\nport 22\nproxycommand none\nstricthostkeychecking ask\nconnecttimeout none\nserveraliveinterval 0\nserveralivecountmax 3\nidentityagent SSH_AUTH_SOCK\nidentityfile ~/.ssh/id_rsa\nuserknownhostsfile /a /b\n',
    target,
  );
  t.like(config, { user: 'ann', host: 'old', port: 22, identitiesOnly: false, acceptNewHostKey: false });
  t.deepEqual(config.identityFiles, [join(homedir(), '.ssh/id_rsa')]);
  t.deepEqual(config.userKnownHosts, ['/a', '/b']);
  for (const absent of [config.connectTimeoutMs, config.keepaliveMs, config.proxyJump, config.proxyCommand]) {
    t.is(absent, undefined);
  }
  t.is(config.keepaliveCountMax, undefined, "without an interval ssh's count says nothing");
  t.is(config.identityAgent, undefined);
});

test('what a configuration says', (t) => {
  const config = hostConfig(
    'user root\nhostname 10.0.0.9\nport 2222\nhostkeyalias the-old\nidentityfile /k/%h\nidentityfile /k/%n.%r\nidentitiesonly yes\nidentityagent none\nproxyjump a,b\nproxycommand nc %h %p\nconnecttimeout 7\nserveraliveinterval 5\nserveralivecountmax 2\naddressfamily inet\nhashknownhosts yes\n',
    target,
  );
  t.like(config, {
    host: '10.0.0.9',
    port: 2222,
    hostKeyAlias: 'the-old',
    identitiesOnly: true,
    identityAgent: null,
    proxyJump: 'a,b',
    proxyCommand: 'nc 10.0.0.9 2222',
    connectTimeoutMs: 7000,
    keepaliveMs: 5000,
    keepaliveCountMax: 2,
    addressFamily: 4,
    hashKnownHosts: true,
  });
  t.deepEqual(config.identityFiles, ['/k/10.0.0.9', '/k/old.root']);
});

test('new host keys are taken where ssh would take them', (t) => {
  const accepts = (value: string): boolean => hostConfig(`stricthostkeychecking ${value}\n`, target).acceptNewHostKey;
  t.deepEqual(['true', 'yes', 'ask'].map(accepts), [false, false, false]);
  t.deepEqual(['accept-new', 'false', 'no', 'off'].map(accepts), [true, true, true, true]);
});

test('tokens', (t) => {
  const values = { original: 'old', host: '10.0.0.9', port: 2222, user: 'root', hostKeyAlias: undefined };
  t.is(expandTokens('%n %h %p %r %k %% %l', values), `old 10.0.0.9 2222 root old % ${hostname()}`);
  t.is(expandPath('~/k-%h', values), join(homedir(), 'k-10.0.0.9'));
  t.is(expandPath('/~/a', values), '/~/a');
  for (const text of ['%q', 'a%']) t.throws(() => expandTokens(text, values), { code: 'ssh.config' });
  t.throws(() => expandPath(['$', '{P2C_NOT_SET}'].join(''), values), { code: 'ssh.config' });
});

test('tokens of a ProxyJump', (t) => {
  const jump = (text: string) => hostConfig(`user ann\nhostname 10.0.0.9\nproxyjump ${text}\n`, target).proxyJump;
  t.is(jump('gate-%h,%r@%n:%p'), 'gate-10.0.0.9,ann@old:22');
  t.throws(() => jump('gate-%q'), { code: 'ssh.config' });
  t.is(jump('none'), undefined);
});

test('jump hosts', (t) => {
  const jumps = parseJumps('ann@a:2200, ssh://b:22,[::1]');
  t.deepEqual(
    jumps.map(({ user, host, port }) => ({ user: user === 'ann', host, port })),
    [
      { user: true, host: 'a', port: 2200 },
      { user: false, host: 'b', port: 22 },
      { user: false, host: '::1', port: 22 },
    ],
  );
  for (const text of ['none', 'None', ' none ']) t.deepEqual(parseJumps(text), [], text);
  for (const text of ['', 'a,', ',a', '-oProxyCommand=x', 'a b']) {
    t.throws(() => parseJumps(text), { code: 'target.invalid' });
  }
});

test('where no jump host is to be gone over, nothing that is configured is', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const file = join(await temporaryFolder(t), 'config');
  const way = async (configured: string, jumps?: string) => {
    await writeFile(file, `Host old\n  ${configured}\nHost *\n  ProxyJump none\n`);
    const options = { sshConfig: { file }, ...(jumps === undefined ? {} : { jumps: parseJumps(jumps) }) };
    return (await routeTo(target, options)).map((hop) => hop.proxyCommand ?? hop.target.host);
  };
  t.deepEqual(await way('ProxyJump gate'), ['gate', 'old']);
  t.deepEqual(await way('ProxyJump gate', 'none'), ['old']);
  t.deepEqual(await way('ProxyCommand true'), ['true']);
  t.deepEqual(await way('ProxyCommand true', 'none'), ['old']);
});

test('of a ProxyJump only what is the server itself is passed over: its address, its port and its user', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const file = join(await temporaryFolder(t), 'config');
  const way = async (name: string, ...lines: string[]): Promise<string> => {
    await writeFile(file, `${lines.join('\n')}\n`);
    const hops = await routeTo(parseTarget(name), { sshConfig: { file } });
    return hops.map(({ target: { host, port } }) => `${host}:${port}`).join();
  };
  const old = ['Host old', 'HostName 192.0.2.7', 'Port 2222', 'User root'];
  // One address behind which another port leads to another server.
  t.is(await way('old', ...old, 'ProxyJump 192.0.2.7'), '192.0.2.7:22,192.0.2.7:2222');
  t.is(await way('old', ...old, 'ProxyJump gate,192.0.2.7:22'), 'gate:22,192.0.2.7:22,192.0.2.7:2222');
  t.is(await way('old', ...old, 'ProxyJump 192.0.2.7:2222,gate'), 'gate:22,192.0.2.7:2222');
  t.is(await way('old', ...old, 'ProxyJump ann@192.0.2.7:2222'), '192.0.2.7:2222,192.0.2.7:2222');
  // A name that stands for the same, and the same name where it is not.
  t.is(await way('gate', 'Host gate', 'HostName 192.0.2.1', 'Host *', 'ProxyJump gate'), '192.0.2.1:22');
  t.is(await way('ann@gate', 'Host gate', 'HostName GATE.example', 'Host *', 'ProxyJump gate'), 'gate.example:22');
  // Where the words are the same too, ssh itself refuses it.
  t.regex((await failure(way('gate', 'Host *', 'ProxyJump gate'))).message, /jumphost loop via gate/);
  const ring = ['Host one', 'ProxyJump two', 'Host two', 'ProxyJump one'];
  t.is((await failure(way('one', ...ring))).code, 'ssh.jump-loop');
  const many = Array(10_000).fill('gate').join();
  t.is((await failure(way('old', 'Host old', `ProxyJump ${many}`))).code, 'ssh.jump-loop');
});

test('a key that is named for the target takes no jump host its own', async (t) => {
  const folder = await temporaryFolder(t);
  const named = join(folder, 'key');
  await writeFile(named, '');
  const keys = async (sshConfig: { file: string } | undefined, jumps: string): Promise<readonly string[][]> => {
    const options = { sshConfig, identities: [named], jumps: parseJumps(jumps) };
    const hops = await routeTo(target, options);
    return hops.map((hop) => [...hop.named, ...hop.identityFiles]);
  };
  const own = ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(homedir(), '.ssh', name));
  t.deepEqual(await keys(undefined, 'gate,second'), [own, own, [named]]);
  if (!requirePrograms(t, ['ssh'])) return;
  const file = join(folder, 'config');
  await writeFile(file, 'Host gate\n IdentityFile /keys/of-the-gate\n');
  const [gate = [], second = [], last] = await keys({ file }, 'gate,second');
  t.deepEqual(gate, ['/keys/of-the-gate']);
  t.deepEqual(last, [named]);
  for (const key of own) t.true(second.includes(key), key);
  t.false(second.includes(named));
});

test('what of a target is assumed', (t) => {
  t.deepEqual(parseTarget('old').assumed, ['user', 'port']);
  t.deepEqual(parseTarget('ann@old:22').assumed, []);
  t.deepEqual(parseTarget('old', { port: 2222 }).assumed, ['user']);
});

test.serial('a HOME of its own is the home, also for what ssh would look for elsewhere', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const home = await temporaryFolder(t);
  await mkdir(join(home, '.ssh'));
  await writeFile(join(home, '.ssh/config'), 'Host old\n HostName 192.0.2.7\n');
  const before = process.env['HOME'];
  process.env['HOME'] = home;
  t.teardown(() => {
    if (before === undefined) delete process.env['HOME'];
    else process.env['HOME'] = before;
  });
  const config = await readHostConfig({}, target, []);
  t.is(config?.host, '192.0.2.7');
  t.is(config?.userKnownHosts[0], join(home, '.ssh/known_hosts'));
  t.true(config?.identityFiles.includes(join(home, '.ssh/id_ed25519')));
});

test.serial('with a HOME of its own the configuration of the system is read after that of the home', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const home = await temporaryFolder(t);
  const temporary = await temporaryFolder(t);
  await mkdir(join(home, '.ssh'));
  const file = join(home, '.ssh/config');
  const { HOME: before, TMPDIR: tmp } = process.env;
  const settings: NodeJS.ProcessEnv = { HOME: home, TMPDIR: temporary };
  Object.assign(process.env, settings);
  t.teardown(() => {
    for (const [name, value] of Object.entries({ HOME: before, TMPDIR: tmp })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });
  // What the system of this machine says, as ssh prints it, and what is left of that without a file.
  await writeFile(file, '');
  const system = await readHostConfig({ file: '/etc/ssh/ssh_config' }, target, []);
  t.deepEqual(await readHostConfig({}, target, []), system);
  // The home's comes first, whatever block it ends in, and without an end of its last line.
  await writeFile(file, 'Host *\n HashKnownHosts no\nHost other\n Port 7');
  t.like(await readHostConfig({}, target, []), { hashKnownHosts: false, port: 22 });
  // Another's file is read, as with sudo that leaves HOME alone.
  if (process.getuid?.() === 0) await chown(file, 65_534, 65_534);
  t.is((await readHostConfig({}, parseTarget('other'), []))?.port, 7);
  await writeFile(file, '\n\nNonsense yes\n');
  const error = await failure(readHostConfig({}, target, []));
  t.is(error.code, 'ssh.config');
  t.true(error.message.includes(`${file}: line 3: Bad configuration option: nonsense`), error.message);
  t.deepEqual(await readdir(temporary), [], 'what was written for ssh is gone');
});

test("the configuration of the system holds for all, below the block in which the user's ends", async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const folder = await temporaryFolder(t);
  const [own, system] = [join(folder, 'own'), join(folder, 'system')];
  await writeFile(own, 'Host elsewhere\n  User ann');
  await writeFile(system, 'RevokedHostKeys /etc/ssh/revoked\nHost *\n  Port 2222\n');
  await using config = await JoinedConfig.of(own, system);
  t.is((await stat(config.file)).mode & 0o777, 0o600);
  t.like(await readHostConfig(config, target, []), { revokedHostKeys: ['/etc/ssh/revoked'], port: 2222 });
  t.is(config.renamed(`${config.file} line 1`), `${own} line 1`);
});

test.serial('where there is no ssh program, it is said what is lost', async (t) => {
  const folder = await temporaryFolder(t);
  const { HOME: home, PATH: path } = process.env;
  t.teardown(() => Object.assign(process.env, { HOME: home, PATH: path }));
  Object.assign(process.env, { HOME: folder, PATH: folder });
  const notices: string[] = [];
  const options = { sshConfig: {}, onNotice: (line: string) => notices.push(line) };
  await mkdir(join(folder, '.ssh'));
  await writeFile(join(folder, '.ssh/config'), 'Host old\n HostName 192.0.2.7\n');
  const [hop] = await routeTo(parseTarget('root@old'), options);
  t.is(hop?.target.host, 'old');
  t.regex(notices.join(), /no ssh program.*\.ssh\/config.* cannot be read: aliases/);
  const file = join(folder, '.ssh/config');
  await t.throwsAsync(routeTo(parseTarget('root@old'), { sshConfig: { file } }), {
    code: 'ssh.config',
    message: /no ssh program/,
  });
});
