/** Becoming root on a real server: sudo, doas and su, with a password, beside data on the standard input. */
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { BecomeMethod } from '../../src/ssh/become.ts';
import { connect } from '../../src/ssh/connect.ts';
import { Secret } from '../../src/ssh/secret.ts';
import type { ConnectedSession, Session } from '../../src/ssh/session.ts';
import { type SudoersWishes, sudoersLines } from '../../src/ssh/sudoers.ts';
import { parseTarget } from '../../src/ssh/target.ts';
import { cli } from '../helpers/cli.ts';
import { failure } from '../helpers/failure.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

let shared: Promise<LabServer> | undefined;

test.after.always(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
});

/** One server for all: each test has users and settings of its own. */
async function lab(t: ExecutionContext): Promise<LabServer | undefined> {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return undefined;
  shared ??= startLabServer('become');
  return shared;
}

/** A user with joe's key, and a password of its own. */
async function newUser(server: LabServer, name: string): Promise<string> {
  const password = `pass $'"\\ ${randomBytes(9).toString('hex')}`;
  await server.exec(
    `useradd -m -s /bin/bash ${name} && cp -r /home/joe/.ssh /home/${name}/ && chown -R ${name}: /home/${name}/.ssh`,
  );
  const file = join(server.rootDir, `root/chpasswd-${name}`);
  await writeFile(file, `${name}:${password}\n`, { mode: 0o600 });
  await server.exec(`chpasswd </root/chpasswd-${name}; rm /root/chpasswd-${name}`);
  return password;
}

function connectAs(
  server: LabServer,
  user: string,
  method: BecomeMethod | undefined,
  password?: string,
): Promise<ConnectedSession> {
  return connect(parseTarget(`${user}@${server.address}:${server.port}`), {
    agent: null,
    identities: [server.identity],
    knownHostsFiles: [server.knownHosts],
    become:
      method === undefined
        ? undefined
        : { method, password: password === undefined ? undefined : async () => new Secret(password) },
  });
}

/** Runs as root, its input and outputs are the command's alone, and the password is nowhere. */
async function isRoots(t: ExecutionContext, server: LabServer, session: Session, password: string): Promise<void> {
  const data = Buffer.concat([Buffer.from('first\nsecond\0'), randomBytes(2_000_000)]);
  const who = await session.run({ purpose: 'see who', script: "id -u; echo 'to stderr' >&2; exit 3" });
  t.deepEqual(
    { out: who.stdout.toString(), err: who.stderr, code: who.code },
    { out: '0\n', err: 'to stderr\n', code: 3 },
  );
  const sum = await session.run({ purpose: 'sum', script: 'sha256sum', input: [data] });
  t.is(sum.stdout.toString().slice(0, 64), createHash('sha256').update(data).digest('hex'));
  const nothing = await session.run({ purpose: 'read nothing', script: "wc -c; echo 'done!'" });
  t.is(nothing.stdout.toString(), '0\ndone!\n');
  const heard: Buffer[] = [];
  const stream = await session.stream(
    { purpose: 'pour', script: 'cat; ps -eo args; echo bye >&2', input: [data] },
    (chunk) => heard.push(chunk),
  );
  const chunks: Buffer[] = [];
  for await (const chunk of stream.stdout) chunks.push(chunk);
  t.is((await stream.done).code, 0);
  const out = Buffer.concat(chunks);
  t.deepEqual(out.subarray(0, data.length), data);
  t.is(Buffer.concat(heard).toString(), 'bye\n');
  const processes = out.subarray(data.length).toString();
  t.true(processes.includes('ps -eo args'));
  t.false(processes.includes(password));
  t.false(JSON.stringify(session.ledger).includes(password.slice(-18)));
  t.false(
    (await server.exec('cat /var/log/auth.log /root/.bash_history 2>/dev/null || true')).includes(password.slice(-18)),
  );
}

test('sudo with a password, also where it remembers it and does not ask again', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  for (const [user, setting] of [
    ['sue', ''],
    ['sam', 'Defaults:sam timestamp_type=global\n'],
    ['sid', 'Defaults:sid lecture=always, timestamp_timeout=0, use_pty\n'],
  ] as const) {
    const password = await newUser(server, user);
    await writeFile(join(server.rootDir, `etc/sudoers.d/${user}`), `${setting}${user} ALL=(ALL) ALL\n`, {
      mode: 0o440,
    });
    t.is((await connectAs(server, user, undefined)).privilege, 'none');
    await using session = await connectAs(server, user, 'sudo', password);
    t.is(session.privilege, 'sudo');
    await isRoots(t, server, session, password);
  }
});

test('su with the password of root', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = (await readFile(server.passwordFile, 'utf8')).trimEnd();
  await using session = await connectAs(server, 'joe', 'su', password);
  t.is(session.privilege, 'su');
  await isRoots(t, server, session, password);
});

test('doas, with a password and without', async (t) => {
  const server = await lab(t);
  if (server === undefined || !requirePrograms(t, ['doas'])) return;
  const password = await newUser(server, 'dora');
  const other = await newUser(server, 'dick');
  const path = (await promisify(execFile)('sh', ['-c', 'command -v doas'])).stdout.trim();
  await copyFile(path, join(server.rootDir, 'usr/bin/doas'));
  await server.exec('chown root: /usr/bin/doas; chmod 4755 /usr/bin/doas');
  await writeFile(join(server.rootDir, 'etc/doas.conf'), 'permit nopass dora\npermit dick\n', { mode: 0o400 });
  await using session = await connectAs(server, 'dora', 'doas');
  t.is(session.privilege, 'doas');
  await isRoots(t, server, session, password);
  t.is((await failure(connectAs(server, 'dick', 'doas'))).code, 'ssh.become');
  t.is((await failure(connectAs(server, 'dick', 'doas', 'wrong'))).code, 'ssh.become');
  // doas takes a password on a terminal only.
  await using asked = await connectAs(server, 'dick', 'doas', other);
  await isRoots(t, server, asked, other);
});

test('the lines that p2c asks for are enough, and not for more than they say', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = await newUser(server, 'mia');
  const file = join(server.rootDir, 'etc/sudoers.d/mia');
  const write = async (wishes: SudoersWishes): Promise<void> => {
    await writeFile(file, `${sudoersLines('mia', wishes).join('\n')}\n`, { mode: 0o440 });
    t.regex(await server.exec('visudo -cf /etc/sudoers.d/mia'), /parsed OK/);
  };
  await server.exec("echo 'Defaults:mia requiretty' >/etc/sudoers.d/aaa && chmod 440 /etc/sudoers.d/aaa");
  await write({ withoutPassword: true, until: new Date(Date.now() + 3_600_000) });
  t.is((await connectAs(server, 'mia', undefined)).privilege, 'sudo');
  const other = { purpose: 'do something else', script: 'sudo -n cat /etc/shadow', privileged: false };
  t.not((await (await connectAs(server, 'mia', undefined)).run(other)).code, 0);
  await write({ withoutPassword: true, until: new Date(Date.now() - 3_600_000) });
  t.is((await connectAs(server, 'mia', undefined)).privilege, 'none');
  await write({ withoutPassword: false });
  t.is((await connectAs(server, 'mia', 'sudo', password)).privilege, 'sudo');
  await server.exec('rm /etc/sudoers.d/aaa');
  t.deepEqual(sudoersLines('DOM\\a b', { withoutPassword: true })[2], 'DOM\\\\a\\ b ALL=(root) NOPASSWD: /bin/sh');
});

test('a user whose sudoers file is what p2c prints can do all that a stop and a start need', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = await newUser(server, 'nell');
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts, '-F', 'none'];
  const target = `nell@${server.address}`;
  const secret = join(await temporaryFolder(t), 'password');
  await writeFile(secret, `${password}\n`, { mode: 0o600 });
  const given = ['--become', 'sudo', '--become-password-command', `cat ${secret}`];
  for (const become of [[], given]) {
    const printed = await cli(['inspect', target, ...access, ...become, '--print-sudoers']);
    t.is(printed.code, 0, printed.stderr);
    await writeFile(join(server.rootDir, 'etc/sudoers.d/nell'), printed.stdout, { mode: 0o440 });
    const tested = await cli(['profiles', 'test', target, ...access, ...become, '--profile', 'nginx', '--json']);
    t.is(tested.code, 0, tested.stderr);
    t.deepEqual(
      JSON.parse(tested.stdout).steps.map(({ code }: { code: number }) => code),
      [0, 0],
    );
    const seen = await cli(['inspect', target, ...access, ...become, '--json']);
    t.is(seen.code, 0, seen.stderr);
    t.true(JSON.parse(seen.stdout).facts.root);
  }
});

test('a su that wants a terminal has one', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  await newUser(server, 'hugo');
  // As the su of Debian was until its tenth release.
  const old =
    '#!/bin/sh\n[ "$(id -un)" != hugo ] || [ -t 0 ] || { echo "su: must be run from a terminal" >&2; exit 1; }\n';
  await writeFile(join(server.rootDir, 'usr/local/bin/su'), `${old}exec /bin/su "$@"\n`, { mode: 0o755 });
  const password = (await readFile(server.passwordFile, 'utf8')).trimEnd();
  await using session = await connectAs(server, 'hugo', 'su', password);
  await isRoots(t, server, session, password);
});

test('a sudo that wants a terminal has one', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = await newUser(server, 'rita');
  const rule = (tag: string): Promise<void> =>
    writeFile(join(server.rootDir, 'etc/sudoers.d/rita'), `Defaults:rita requiretty\nrita ALL=(ALL) ${tag}ALL\n`, {
      mode: 0o440,
    });
  await rule('NOPASSWD: ');
  await using free = await connectAs(server, 'rita', undefined);
  t.is(free.privilege, 'sudo');
  await isRoots(t, server, free, password);
  await rule('');
  t.is((await connectAs(server, 'rita', undefined)).privilege, 'none');
  t.is((await failure(connectAs(server, 'rita', 'sudo', 'wrong'))).code, 'ssh.become');
  await using asked = await connectAs(server, 'rita', 'sudo', password);
  await isRoots(t, server, asked, password);
  const many = { purpose: 'say much', script: 'head -c 200000 /dev/zero | tr "\\0" e >&2; echo out; exit 9' };
  const { code, stdout, stderr } = await asked.run(many);
  t.is(code, 9);
  t.is(stdout.toString(), 'out\n');
  t.true(stderr.length > 60_000 && /^e+$/.test(stderr));
});

test('a login that prints text before each command becomes root all the same', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = await newUser(server, 'cora');
  const greeting = 'echo hello; echo oops >&2; printf Password:\n';
  await writeFile(join(server.rootDir, 'home/cora/.bashrc'), greeting);
  for (const [rule, given] of [
    ['cora ALL=(ALL) NOPASSWD: ALL', undefined],
    ['cora ALL=(ALL) ALL', password],
    ['Defaults:cora requiretty\ncora ALL=(ALL) ALL', password],
  ] as const) {
    await writeFile(join(server.rootDir, 'etc/sudoers.d/cora'), `${rule}\n`, { mode: 0o440 });
    await using session = await connectAs(server, 'cora', 'sudo', given);
    await isRoots(t, server, session, password);
  }
});

test('what does not lead to root', async (t) => {
  const server = await lab(t);
  if (server === undefined) return;
  const password = await newUser(server, 'tim');
  const rule = (text: string): Promise<void> =>
    writeFile(join(server.rootDir, 'etc/sudoers.d/tim'), `${text}\n`, { mode: 0o440 });
  const code = 'ssh.become';
  t.like(await failure(connectAs(server, 'tim', 'sudo', password)), { code });
  await rule('tim ALL=(ALL) ALL');
  t.like(await failure(connectAs(server, 'tim', 'sudo')), { code });
  const wrong = await failure(connectAs(server, 'tim', 'sudo', 'wrong'));
  t.is(wrong.code, code);
  // Lines after the password are no further attempts.
  t.regex(wrong.message, /\b1 incorrect password attempt/);
  t.false(wrong.message.includes('wrong'));
  t.like(await failure(connectAs(server, 'tim', 'su', 'wrong')), { code });
  const absent = await failure(
    connectAs(server, 'tim', 'doas', password).catch((error: unknown) => Promise.reject(error)),
  );
  t.is(absent.code, code);
});
