/** An SSH server inside the test, for what a real sshd does not do: refuse, fall silent, break rules. Needs no root. */
import { spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect as openSocket } from 'node:net';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import ssh2, { type AuthContext, type ServerChannel, type ServerConfig } from 'ssh2';
import { type ConnectOptions, connect } from '../../src/ssh/connect.ts';
import type { Session } from '../../src/ssh/session.ts';
import type { Target } from '../../src/ssh/target.ts';
import { listenOnFreePort } from './port.ts';
import { generateKey, type KeyType } from './sshd.ts';
import { temporaryFolder } from './temporary.ts';

export interface ServerBehaviour {
  readonly keyTypes?: readonly KeyType[];
  readonly algorithms?: NonNullable<ServerConfig['algorithms']>;
  /** Default: everybody is let in. */
  readonly authenticate?: (context: AuthContext) => void;
  /** Sees each session that a client asks for; false refuses it. */
  readonly session?: () => boolean;
  /** Sees each command first; true where it dealt with it, `cut` to end the connection. Others are run by sh, as the test's user. */
  readonly exec?: (command: string, accept: () => ServerChannel, reject: () => void) => boolean | 'cut';
  /** What the account's shell is: called with `-c COMMAND`. Default sh. */
  readonly shell?: string;
}

export interface TestServer {
  readonly port: number;
  readonly target: Target;
  readonly folder: string;
  readonly knownHosts: string;
  /** No agent, no default keys, and the server's key is known. */
  readonly options: ConnectOptions;
  connect(options?: ConnectOptions): Promise<Session>;
  /** Takes no connections any more. */
  close(): void;
}

export async function startServer(t: ExecutionContext, behaviour: ServerBehaviour = {}): Promise<TestServer> {
  const folder = await temporaryFolder(t);
  const hostKeys: Buffer[] = [];
  let known = '';
  for (const type of behaviour.keyTypes ?? ['ed25519']) {
    const key = await keyOf(t, `host ${type}`, type);
    hostKeys.push(key.secret);
    known += `[127.0.0.1]:PORT ${key.open}`;
  }
  // A client that gave up early may be seen here only while the test is ending, when it takes no teardown any more.
  let over = false;
  const ends: (() => void)[] = [];
  const whenOver: WhenOver = (end) => {
    if (over) end();
    else ends.push(end);
  };
  const server = new ssh2.Server({ hostKeys, algorithms: behaviour.algorithms ?? {} }, (client) => {
    whenOver(() => client.end());
    client.on('error', () => {});
    client.on('authentication', (context) => {
      if (behaviour.authenticate === undefined) context.accept();
      else behaviour.authenticate(context);
    });
    client.on('tcpip', (accept, _reject, { destIP, destPort }) => {
      const onward = openSocket(destPort, destIP).on('error', () => {});
      whenOver(() => onward.destroy());
      onward.pipe(accept()).pipe(onward);
    });
    client.on('session', (accept, reject) => {
      if (behaviour.session?.() === false) return reject();
      accept().on('exec', (acceptExec, rejectExec, { command }) => {
        const dealt = behaviour.exec?.(command, acceptExec, rejectExec);
        if (dealt === 'cut') client.end();
        if (dealt === true || dealt === 'cut') return;
        runCommand(whenOver, behaviour.shell ?? 'sh', command, acceptExec());
      });
    });
  });
  const port = await listenOnFreePort(server);
  t.teardown(() => {
    over = true;
    for (const end of ends.reverse()) end();
    server.close();
  });
  const knownHosts = join(folder, 'known_hosts');
  await writeFile(knownHosts, known.replaceAll('PORT', String(port)));
  const target = { user: 'joe', host: '127.0.0.1', port, name: `joe@127.0.0.1:${port}` };
  const identity = join(folder, 'identity');
  const own = await keyOf(t, 'identity', 'ed25519');
  await writeFile(identity, own.secret, { mode: 0o600 });
  await writeFile(`${identity}.pub`, own.open);
  // Long: a machine that is busy with other tests takes its time.
  const options: ConnectOptions = {
    agent: null,
    knownHostsFiles: [knownHosts],
    identities: [identity],
    connectTimeoutMs: 50_000,
  };
  return {
    port,
    target,
    folder,
    knownHosts,
    options,
    close: () => void server.close(),
    async connect(more = {}) {
      const session = await connect(target, { ...options, ...more });
      t.teardown(() => session[Symbol.asyncDispose]());
      return session;
    },
  };
}

interface Key {
  readonly secret: Buffer;
  readonly open: string;
}

/** Made once for all servers of a test file: there are many servers, and each key would be one more process. */
const keys = new Map<string, Promise<Key>>();

function keyOf(t: ExecutionContext, use: string, type: KeyType): Promise<Key> {
  const key = keys.get(use) ?? makeKey(t, type);
  keys.set(use, key);
  return key;
}

async function makeKey(t: ExecutionContext, type: KeyType): Promise<Key> {
  const file = join(await temporaryFolder(t), 'key');
  await generateKey(file, type);
  return { secret: await readFile(file), open: await readFile(`${file}.pub`, 'utf8') };
}

type WhenOver = (end: () => void) => void;

function runCommand(whenOver: WhenOver, shell: string, command: string, channel: ServerChannel): void {
  const child = spawn(shell, ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group ended by itself.
    }
  };
  whenOver(end);
  child.on('error', () => channel.close());
  child.stdin.on('error', () => {});
  channel.pipe(child.stdin);
  channel.on('close', end);
  child.stderr.on('data', (chunk: Buffer) => channel.stderr.write(chunk));
  child.stdout.on('data', (chunk: Buffer) => {
    if (!channel.write(chunk)) {
      child.stdout.pause();
      channel.once('drain', () => child.stdout.resume());
    }
  });
  child.on('close', (code, signal) => {
    if (!channel.writable) return;
    if (code !== null) channel.exit(code);
    else channel.exit((signal ?? 'SIGKILL').replace('SIG', ''));
    // Closed by ssh2 once all that was written has gone out.
    channel.end();
  });
}
