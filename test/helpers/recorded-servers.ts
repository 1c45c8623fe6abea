/**
 * Many servers in one process, which cost next to nothing: what one asks for the first time is asked of a real server, and
 * whoever asks the same again hears the same answer. All of them are at one port of loopback.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pLimit from 'p-limit';
import ssh2, { type Client, type ServerChannel } from 'ssh2';
import { listenOnFreePort } from './port.ts';
import { generateKey } from './sshd.ts';

/** The real one. */
export interface Recorded {
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** The private key's file. */
  readonly identity: string;
}

export interface RecordedServers extends AsyncDisposable {
  readonly port: number;
  /** A line for a known_hosts file. */
  readonly known: string;
  /** Commands that were answered, and those of them that the real server was asked. */
  counts(): { answered: number; asked: number };
}

interface Answer {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly code: number;
}

/** For the real one's shell: less to list, for what is measured with many is not the listing. */
export const LESS_TO_LIST = 'rm -rf /usr/share/doc /usr/share/locale /usr/share/man /usr/share/zoneinfo';

/** How p2c gives a command that has no input none; others are given theirs to its end. */
const NO_INPUT = / <\/dev\/null$/;

export async function startRecordedServers(recorded: Recorded): Promise<RecordedServers> {
  const client = await connectTo(recorded);
  const answers = new Map<string, Promise<Answer>>();
  const oneByOne = pLimit(1);
  let answered = 0;
  const answer = (command: string, input: Buffer): Promise<Answer> => {
    const key = createHash('sha256').update(command).update('\0').update(input).digest('hex');
    const known = answers.get(key) ?? oneByOne(() => ask(client, command, input));
    answers.set(key, known);
    answered += 1;
    return known;
  };
  const key = await hostKey();
  const connections = new Set<{ end(): void }>();
  const server = new ssh2.Server({ hostKeys: [key.private] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => {}).on('close', () => connections.delete(connection));
    connection.on('authentication', (context) => context.accept());
    connection.on('session', (accept) => {
      accept().on('exec', (acceptExec, _reject, { command }) => void reply(acceptExec(), command, answer));
    });
  });
  const port = await listenOnFreePort(server);
  return {
    port,
    known: `[127.0.0.1]:${port} ${key.public}\n`,
    counts: () => ({ answered, asked: answers.size }),
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.end();
      server.close();
      client.end();
    },
  };
}

/** By ssh-keygen: of the ed25519 keys that ssh2 makes, one in some hundreds is malformed (mscdex/ssh2#1513). */
async function hostKey(): Promise<{ private: string; public: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'p2c-recorded-'));
  try {
    const file = join(folder, 'key');
    await generateKey(file, 'ed25519');
    return { private: readFileSync(file, 'utf8'), public: readFileSync(`${file}.pub`, 'utf8').trim() };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/**
 * An inventory of so many of them, and the arguments that go with it: a little of each is captured, and the
 * whole system's listing is read for it.
 */
export async function writeFleet(
  folder: string,
  { port, known }: RecordedServers,
  identity: string,
  hosts: number,
): Promise<string[]> {
  const [inventory, knownHosts] = [join(folder, 'many.yaml'), join(folder, 'known_hosts')];
  await writeFile(knownHosts, known);
  const lines = Array.from({ length: hosts }, (_, at) => `  host-${at}: { address: 127.0.0.1, port: ${port} }`);
  const defaults = `defaults: { user: root, identity: ${identity}, tag: 'many/{{host}}:latest' }`;
  await writeFile(inventory, `${defaults}\nhosts:\n${lines.join('\n')}\n`);
  const excluded = ['usr', 'var', 'lib', 'opt'].flatMap((name) => ['--exclude', `/${name}/**`]);
  return ['-i', inventory, '-F', 'none', '--known-hosts', knownHosts, '--no-stop', '--settle', '0', ...excluded];
}

async function connectTo({ address, port, user, identity }: Recorded): Promise<Client> {
  const client = new ssh2.Client();
  const ready = once(client, 'ready');
  client.connect({ host: address, port, username: user, privateKey: readFileSync(identity) });
  await ready;
  client.on('error', () => {});
  return client;
}

async function reply(
  channel: ServerChannel,
  command: string,
  answer: (command: string, input: Buffer) => Promise<Answer>,
): Promise<void> {
  try {
    const { stdout, stderr, code } = await answer(command, await inputOf(channel, command));
    channel.stderr.write(stderr);
    channel.write(stdout, () => {
      channel.exit(code);
      channel.end();
    });
  } catch {
    channel.close();
  }
}

/** Not by iterating: that would close the channel, answer and all. */
function inputOf(channel: ServerChannel, command: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  channel.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = once(channel, 'end').then(() => Buffer.concat(chunks));
  return NO_INPUT.test(command) ? Promise.resolve(Buffer.alloc(0)) : ended;
}

function ask(client: Client, command: string, input: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error !== undefined) return reject(error);
      const stdout: Buffer[] = [];
      const stderr: Buffer[] = [];
      let code = 255;
      channel.on('data', (chunk: Buffer) => stdout.push(chunk));
      channel.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
      channel.on('exit', (ended: number | null) => {
        code = ended ?? 255;
      });
      channel.on('close', () => resolve({ stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), code }));
      channel.end(input);
    });
  });
}
