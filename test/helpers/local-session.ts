/** A Session on this very machine: real shells, real processes, no SSH. For tests of what runs on a source. */
import { type ChildProcess, spawn } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { P2cError } from '../../src/errors.ts';
import type { CommandResult, LedgerEntry, RemoteCommand, RemoteStream, Session } from '../../src/ssh/session.ts';

export interface LocalSession extends Session {
  readonly ledger: LedgerEntry[];
  /** Loses the link: commands under way and all later ones are rejected, as by a session whose connection is gone. */
  cut(): void;
}

export interface LocalSessionOptions {
  /** Put before PATH: a folder with a `sh` of the test's choice. */
  readonly path?: string;
  /** In place of PATH. */
  readonly only?: string;
}

export function localSession(options: LocalSessionOptions = {}): LocalSession {
  const ledger: LedgerEntry[] = [];
  const running = new Map<ChildProcess, (error: Error) => void>();
  let lost = false;
  const path = options.only ?? [options.path, process.env['PATH']].filter((part) => part !== undefined).join(':');

  function run(command: RemoteCommand): Promise<CommandResult> {
    if (lost) return Promise.reject(linkLost());
    const started = performance.now();
    const limit = command.timeoutMs ?? 60_000;
    return new Promise((resolve, reject) => {
      const child = spawn('sh', ['-c', command.script], {
        env: { PATH: path, LC_ALL: 'C', HOME: '/root' },
        stdio: ['pipe', 'pipe', 'pipe'],
        detached: true,
      });
      const stdout: Buffer[] = [];
      let stderr = '';
      const settle = (action: () => void): void => {
        clearTimeout(timer);
        running.delete(child);
        action();
      };
      const timer = setTimeout(() => {
        settle(() =>
          reject(new P2cError(`'${command.purpose}' took longer than ${limit} ms`, { code: 'ssh.command-timeout' })),
        );
        child.stdout.destroy();
        child.stderr.destroy();
      }, limit);
      running.set(child, (error) => settle(() => reject(error)));
      child.stdin.on('error', () => {});
      child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString()).slice(-65_536);
      });
      child.on('error', (error) => settle(() => reject(error)));
      // `close` and not `exit`: like a channel, it waits for everyone who holds the output open.
      child.on('close', (code, signal) => {
        const durationMs = performance.now() - started;
        const exit = code ?? (signal === null ? 255 : 143);
        ledger.push(entry(command, exit, durationMs));
        settle(() => resolve({ code: exit, stdout: Buffer.concat(stdout), stderr, durationMs }));
      });
      void feed(child, command.input ?? []);
    });
  }

  return {
    target: { user: 'root', host: 'localhost', port: 22, name: 'root@localhost' },
    privilege: 'root',
    ledger,
    run,
    async stream(command, onStderr): Promise<RemoteStream> {
      const child = spawn('sh', ['-c', command.script], {
        env: { PATH: path, LC_ALL: 'C', HOME: '/root' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stderr = '';
      child.stderr.on('data', (chunk: Buffer) => {
        stderr = (stderr + chunk.toString()).slice(-65_536);
        onStderr?.(chunk);
      });
      const done = new Promise<CommandResult>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve({ code: code ?? 255, stdout: Buffer.alloc(0), stderr, durationMs: 0 }));
      });
      // Node.js throws away what nobody reads of a process that has ended; a channel keeps it.
      const stdout = child.stdout.pipe(new PassThrough({ highWaterMark: 2 * 1024 * 1024 }));
      return { stdout, done, kill: () => void child.kill() };
    },
    cut() {
      lost = true;
      for (const reject of [...running.values()]) reject(linkLost());
    },
    async [Symbol.asyncDispose]() {
      for (const child of [...running.keys()]) child.kill('SIGKILL');
    },
  };
}

async function feed(child: ChildProcess, input: NonNullable<RemoteCommand['input']>): Promise<void> {
  for await (const chunk of input) child.stdin?.write(chunk);
  child.stdin?.end();
}

function linkLost(): P2cError {
  return new P2cError('the connection to root@localhost was lost', { code: 'ssh.lost' });
}

function entry(command: RemoteCommand, code: number, durationMs: number): LedgerEntry {
  return {
    at: new Date().toISOString(),
    purpose: command.purpose,
    script: command.script,
    code,
    durationMs,
    changesSource: command.changesSource ?? false,
  };
}
