/** Ways in which a connection comes about, and the words for those in which it does not. */
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { type ConnectOptions, connect } from '../../src/ssh/connect.ts';
import type { Secret } from '../../src/ssh/secret.ts';
import type { Target } from '../../src/ssh/target.ts';
import { freePort, listenOnFreePort } from '../helpers/port.ts';
import { requirePrograms } from '../helpers/require.ts';
import { startServer } from '../helpers/ssh-server.ts';
import { generateKey } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const at = (host: string, port: number): Target => ({ user: 'joe', host, port, name: `joe@${host}` });
const PLAIN: ConnectOptions = { agent: null, knownHostsFiles: [], connectTimeoutMs: 20_000 };

/** A port where the test speaks for itself. */
async function listen(t: ExecutionContext, speak: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    speak(socket);
  });
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return listenOnFreePort(server);
}

async function failure(attempt: Promise<unknown>): Promise<P2cError> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof P2cError) return error;
    throw error;
  }
  throw new Error('it succeeded');
}

test('a port where nobody listens', async (t) => {
  const port = await freePort();
  const error = await failure(connect(at('127.0.0.1', port), PLAIN));
  t.is(error.code, 'ssh.refused');
  t.true(error.message.includes(`127.0.0.1 port ${port}`));
});

test('what is wrong with a jump host is told of the jump host, and with what is for it', async (t) => {
  const server = await startServer(t, { authenticate: (context) => context.reject(['password']) });
  const target = at('127.0.0.1', 22);
  const nobody = { ...at('127.0.0.1', await freePort()), name: 'gate' };
  const refused = await failure(connect(target, { ...PLAIN, jumps: [nobody] }));
  t.regex(refused.message, /^the jump host 127.0.0.1 port \d+ refuses/);
  t.regex(refused.hint ?? '', /-J USER@HOST:PORT/);
  t.notRegex(refused.hint ?? '', /--port/);
  const unknown = await failure(connect(target, { ...server.options, knownHostsFiles: [], jumps: [server.target] }));
  t.is(unknown.code, 'ssh.host-key-unknown');
  t.regex(unknown.message, /of the jump host joe@/);
  t.regex(unknown.hint ?? '', /--host-key-fingerprint is for the target/);
  const shut = await failure(connect(target, { ...server.options, jumps: [server.target] }));
  t.is(shut.code, 'ssh.auth');
  t.regex(shut.message, /^the jump host 127.0.0.1 port \d+ does not let joe in/);
  t.notRegex(shut.hint ?? '', /or give the password/);
});

test('a name that does not exist', async (t) => {
  const error = await failure(connect(at('nowhere.invalid', 22), PLAIN));
  t.is(error.code, 'ssh.unknown-host');
  t.true(error.message.includes('nowhere.invalid'));
});

test('an address that no packet can be sent to', async (t) => {
  // Class E: Linux refuses to route to it.
  t.is((await failure(connect(at('255.255.255.255', 22), PLAIN))).code, 'ssh.unreachable');
});

test('a port that says nothing', async (t) => {
  const port = await listen(t, () => {});
  const error = await failure(connect(at('127.0.0.1', port), { ...PLAIN, connectTimeoutMs: 500 }));
  t.is(error.code, 'ssh.timeout');
  t.regex(error.message, /within 0\.5 s/);
});

for (const [what, speak] of [
  ['hangs up', (socket: Socket) => socket.end()],
  ['resets', (socket: Socket) => socket.resetAndDestroy()],
  ['speaks HTTP', (socket: Socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ['speaks ssh 1', (socket: Socket) => socket.end('SSH-1.5-old\r\n')],
  ['is full', (socket: Socket) => socket.end('Exceeded MaxStartups\r\n')],
  ['ends after its greeting', (socket: Socket) => socket.end('SSH-2.0-short\r\n')],
  [
    'sends rubbish after its greeting',
    (socket: Socket) => socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(100_000, 0xff)])),
  ],
] as const) {
  test(`a port that ${what}`, async (t) => {
    const port = await listen(t, speak);
    const error = await failure(connect(at('127.0.0.1', port), PLAIN));
    t.is(error.code, 'ssh.failed', error.message);
    t.truthy(error.hint);
  });
}

test('a port that greets without an end', async (t) => {
  let sent = 0;
  const port = await listen(t, (socket) => {
    const pour = (): void => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536, 'x'))) sent += 65_536;
    };
    socket.on('drain', pour);
    pour();
  });
  const error = await failure(connect(at('127.0.0.1', port), PLAIN));
  t.regex(error.code, /^ssh\.(failed|timeout)$/);
  t.true(sent < 100_000_000, `${sent} bytes were taken`);
});

test('an attempt that is called off', async (t) => {
  const reason = new P2cError('interrupted', { code: 'interrupted' });
  const port = await listen(t, () => {});
  for (const delayMs of [0, 1, 5, 100]) {
    const controller = new AbortController();
    const attempt = connect(at('127.0.0.1', port), { ...PLAIN, connectTimeoutMs: 50_000, signal: controller.signal });
    if (delayMs === 0) controller.abort(reason);
    else setTimeout(() => controller.abort(reason), delayMs);
    t.is(await failure(attempt), reason);
    t.is(await failure(connect(at('127.0.0.1', port), { ...PLAIN, signal: controller.signal })), reason);
  }
});

for (const who of ['a person', 'a program'] as const) {
  test(`an interruption while ${who} is asked for root's password`, async (t) => {
    const server = await startServer(t, {
      exec(command, accept) {
        if (!command.includes('p2c:asks:')) return false;
        const channel = accept();
        channel.write('p2c:asks:');
        channel.exit(0);
        channel.end();
        return true;
      },
    });
    const controller = new AbortController();
    const reason = new P2cError('interrupted', { code: 'interrupted' });
    const asked = async (): Promise<Secret> => {
      setTimeout(() => controller.abort(reason), 50);
      return new Promise(() => {});
    };
    const become = { method: 'sudo', password: who === 'a program' ? asked : undefined } as const;
    const attempt = server.connect({ become, prompt: asked, signal: controller.signal });
    t.is(await failure(attempt), reason);
  });
}

for (const [kind, algorithms] of [
  ['key exchange', { kex: ['diffie-hellman-group1-sha1'] }],
  ['cipher', { cipher: ['3des-cbc'] }],
  ['MAC', { cipher: ['aes128-ctr'], hmac: ['hmac-md5'] }],
] as const) {
  test(`a server that shares no ${kind} algorithm`, async (t) => {
    const server = await startServer(t, { algorithms: JSON.parse(JSON.stringify(algorithms)) });
    const error = await failure(server.connect());
    t.is(error.code, 'ssh.algorithms');
    t.true(error.message.includes(`no ${kind} algorithm`), error.message);
  });
}

test('an unknown host key is refused, then accepted and remembered', async (t) => {
  const server = await startServer(t);
  const file = join(server.folder, 'new', 'known_hosts');
  const options = { knownHostsFiles: [file] };
  const error = await failure(server.connect(options));
  t.is(error.code, 'ssh.host-key-unknown');
  t.regex(error.message, /ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}/);
  t.regex(error.hint ?? '', /--accept-new-host-key/);
  const notices: string[] = [];
  const onNotice = (line: string): number => notices.push(line);
  await server.connect({ ...options, acceptNewHostKey: true, onNotice });
  t.is(notices.length, 1);
  t.regex(notices[0] ?? '', /was not known; recorded in .*known_hosts: ssh-ed25519 SHA256:[A-Za-z0-9+/]{43}$/);
  t.is(await readFile(file, 'utf8'), (await readFile(server.knownHosts, 'utf8')).replace(/ [^ ]*$/, '\n'));
  await server.connect(options);
});

test('a new host key goes into no file of the system where the user has none of their own', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const server = await startServer(t);
  const [config, system] = [join(server.folder, 'config'), join(server.folder, 'ssh_known_hosts')];
  await writeFile(system, '');
  const trust = `GlobalKnownHostsFile ${system}\n  StrictHostKeyChecking accept-new`;
  const connecting = async (own: string): Promise<readonly string[]> => {
    await writeFile(config, `Host *\n  UserKnownHostsFile ${own}\n  ${trust}\n`);
    const notices: string[] = [];
    const onNotice = (line: string): number => notices.push(line);
    await server.connect({ knownHostsFiles: undefined, sshConfig: { file: config }, onNotice });
    return notices;
  };
  t.regex(
    (await connecting('none')).join(),
    /was not known; taken for this time and not remembered.*--known-hosts.*: ssh-ed/,
  );
  t.is(await readFile(system, 'utf8'), '');
  await writeFile(system, await readFile(server.knownHosts));
  t.deepEqual(await connecting('none'), [], 'it is read all the same');
  await writeFile(system, '');
  const own = join(server.folder, 'own');
  t.regex((await connecting(own)).join(), /recorded in .*own: ssh-ed/);
  t.is(await readFile(system, 'utf8'), '');
});

test('a changed host key is refused, also where new ones are accepted', async (t) => {
  const server = await startServer(t);
  const other = join(server.folder, 'other');
  await generateKey(other, 'ed25519');
  const file = join(server.folder, 'changed');
  await writeFile(file, `# comment\n[127.0.0.1]:${server.port} ${await readFile(`${other}.pub`, 'utf8')}`);
  for (const acceptNewHostKey of [false, true]) {
    const error = await failure(server.connect({ knownHostsFiles: [file], acceptNewHostKey }));
    t.is(error.code, 'ssh.host-key-changed');
    t.true(error.message.includes(`${file}:2`));
  }
  await writeFile(file, `@revoked * ${(await readFile(server.knownHosts, 'utf8')).split(' ').slice(1).join(' ')}`);
  t.is(
    (await failure(server.connect({ knownHostsFiles: [file], acceptNewHostKey: true }))).code,
    'ssh.host-key-revoked',
  );
});

for (const type of ['ed25519', 'ecdsa', 'rsa'] as const) {
  test(`a server of which only the ${type} key is known is asked for that`, async (t) => {
    const server = await startServer(t, { keyTypes: ['ed25519', 'ecdsa', 'rsa'] });
    const lines = (await readFile(server.knownHosts, 'utf8')).split('\n');
    const file = join(server.folder, 'one');
    await writeFile(file, lines.filter((line) => line.includes(type)).join('\n'));
    const session = await server.connect({ knownHostsFiles: [file] });
    t.is(session.target.port, server.port);
  });
}

test("only keys that may be the server's own say which is asked for", async (t) => {
  const server = await startServer(t, { keyTypes: ['ed25519', 'ecdsa', 'rsa'] });
  const lines = (await readFile(server.knownHosts, 'utf8')).split('\n');
  const own = lines.find((line) => line.includes(' ssh-rsa '));
  const other = join(server.folder, 'other');
  await generateKey(other, 'ed25519');
  const key = (await readFile(`${other}.pub`, 'utf8')).trim();
  const file = join(server.folder, 'mixed');
  const [host] = own?.split(' ') ?? [];
  for (const line of [`@revoked ${host} ${key}`, `@cert-authority * ${key}`, `127.0.0.1 ${key}`]) {
    await writeFile(file, `${line}\n${own}\n`);
    await t.notThrowsAsync(server.connect({ knownHostsFiles: [file] }), line);
  }
  // Where the whole name has none, the name alone says it.
  await writeFile(file, `127.0.0.1 ${own?.split(' ').slice(1).join(' ')}\n`);
  await t.notThrowsAsync(server.connect({ knownHostsFiles: [file] }));
});

test('identity files that cannot be used', async (t) => {
  const folder = await temporaryFolder(t);
  const key = join(folder, 'key');
  await generateKey(key, 'ed25519', 'secret words');
  await writeFile(join(folder, 'text'), 'this is no key\n');
  await writeFile(join(folder, 'large'), Buffer.alloc(2_000_000));
  await writeFile(join(folder, 'cut'), (await readFile(key)).subarray(0, 100));
  await copyFile(`${key}.pub`, join(folder, 'public'));
  for (const [name, words] of [
    ['missing', /no such file/],
    ['', /cannot be read \(EISDIR\)/],
    ['text', /no private key/],
    ['large', /2000000 bytes/],
    ['cut', /no private key/],
    ['public', /public key/],
    ['key.pub', /public key/],
  ] as const) {
    const error = await failure(connect(at('127.0.0.1', 9), { ...PLAIN, identities: [join(folder, name)] }));
    t.is(error.code, 'ssh.identity');
    t.regex(error.message, words);
    t.is(error.exitCode, 2);
  }
});
