/** A real sshd on loopback with keys, configuration and folder of its own. Needs root; everything is given back. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { answering, freePort } from './port.ts';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

export interface SshdOptions {
  /** Host keys it has. Default: ed25519, ecdsa and rsa. */
  readonly keyTypes?: readonly KeyType[];
  /** Lines of sshd_config; the first of a keyword wins, so these go before the defaults. */
  readonly config?: readonly string[];
}
export type KeyType = 'ed25519' | 'ecdsa' | 'rsa';

export interface Sshd {
  readonly port: number;
  readonly folder: string;
  /** Private key that root may log in with. */
  readonly identity: string;
  /** Knows the server's keys under 127.0.0.1. */
  readonly knownHosts: string;
  readonly process: ChildProcess;
  /** Public host key file of a type. */
  hostKey(type: KeyType): string;
  /** What it logged so far. */
  log(): string;
}

export async function startSshd(t: ExecutionContext, options: SshdOptions = {}): Promise<Sshd> {
  const folder = await temporaryFolder(t);
  const keyTypes = options.keyTypes ?? ['ed25519', 'ecdsa', 'rsa'];
  const hostKey = (type: KeyType): string => join(folder, `host_${type}.pub`);
  for (const type of keyTypes) await generateKey(join(folder, `host_${type}`), type);
  const identity = join(folder, 'identity');
  await generateKey(identity, 'ed25519');
  const authorized = join(folder, 'authorized_keys');
  await writeFile(authorized, await readFile(`${identity}.pub`));
  const config = join(folder, 'sshd_config');
  // Late: what is free now may be somebody else's once the keys are made.
  const port = await freePort();
  await writeFile(
    config,
    [
      ...(options.config ?? []),
      'ListenAddress 127.0.0.1',
      `Port ${port}`,
      ...keyTypes.map((type) => `HostKey ${join(folder, `host_${type}`)}`),
      `AuthorizedKeysFile ${authorized}`,
      'PermitRootLogin yes',
      'StrictModes no',
      'UsePAM no',
      'PidFile none',
      // What root's own shell start-up files do on this machine is no part of a test.
      `SetEnv HOME=${folder}`,
      'MaxStartups 100',
      'LogLevel VERBOSE',
      '',
    ].join('\n'),
  );
  const knownHosts = join(folder, 'known_hosts');
  const known = await Promise.all(keyTypes.map((type) => readFile(hostKey(type), 'utf8')));
  await writeFile(knownHosts, known.map((key) => `[127.0.0.1]:${port} ${key}`).join(''));
  // Where sshd locks its unprivileged child in; Debian's unit makes it, and it stays.
  await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', config], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  t.teardown(() => endWithChildren(child));
  const log: string[] = [];
  child.stderr.setEncoding('utf8').on('data', (text: string) => log.push(text));
  await answering(port, child, 'sshd', () => log.join(''));
  return { port, folder, identity, knownHosts, process: child, hostKey, log: () => log.join('') };
}

/** @param passphrase empty for none. */
export async function generateKey(file: string, type: KeyType, passphrase = ''): Promise<void> {
  const bits = type === 'rsa' ? ['-b', '2048'] : [];
  await run('ssh-keygen', ['-q', '-t', type, ...bits, '-N', passphrase, '-C', 'test', '-f', file]);
}

/** sshd's sessions are processes of their own sessions: found by their parents, before those are gone. */
async function endWithChildren(child: ChildProcess): Promise<void> {
  if (child.pid === undefined) return;
  endProcesses([...(await descendants(child.pid)), child.pid]);
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

export function endProcesses(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended by itself.
    }
  }
}

/** Processes below one, deepest first. */
export async function descendants(pid: number): Promise<number[]> {
  const { stdout } = await run('ps', ['-eo', 'pid=,ppid=']);
  const pairs = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent: number): number[] =>
    pairs.flatMap(([own, above]) => (above === parent && own !== undefined ? [...below(own), own] : []));
  return below(pid);
}
