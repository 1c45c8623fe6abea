/** Throwaway legacy servers for integration tests, made by `scripts/lab` in a second or two each. Needs root. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import * as z from 'zod';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('../../scripts/lab', import.meta.url));
const MAX_OUTPUT = 64 * 1024 * 1024;

export interface LabOptions {
  readonly suite?: 'bullseye' | 'bookworm' | 'trixie';
  /** In place of sysvinit. */
  readonly systemd?: boolean;
  /** Debian packages beside the usual ones. */
  readonly packages?: readonly string[];
  /** 1.5 GB and 60,000 files more. */
  readonly large?: boolean;
  /** Names, links, sparse files and attributes that break careless tools. */
  readonly hostile?: boolean;
}

const Made = z.object({
  name: z.string(),
  /** IPv4 address, reachable from this machine. */
  address: z.string(),
  port: z.number(),
  /** `root`; `admin` (sudo without a password) and `joe` (no sudo) have the same key and password. */
  user: z.string(),
  /** The private key's file. */
  identity: z.string(),
  knownHosts: z.string(),
  passwordFile: z.string(),
  /** The server's root as this machine sees it: `/proc/PID/root`. */
  rootDir: z.string(),
  /** The server's init. */
  pid: z.number(),
  netns: z.string(),
});

export interface LabServer extends z.infer<typeof Made>, AsyncDisposable {
  /** Runs a command in the server's shell, as root unless another user is named; its output. Rejects when it fails. */
  exec(command: string, user?: string): Promise<string>;
}

let made = 0;

/** A server of its own for one test; given back when the test ends, however it ends. */
export async function labServer(t: ExecutionContext, name: string, options: LabOptions = {}): Promise<LabServer> {
  const server = await startLabServer(name, options);
  t.teardown(() => server[Symbol.asyncDispose]());
  return server;
}

/** A server that several tests share: dispose of it in `test.after.always`. Its name is unique to this process. */
export async function startLabServer(name: string, options: LabOptions = {}): Promise<LabServer> {
  const unique = `${name}-${process.pid}-${++made}`;
  const flags = [
    ...(options.suite === undefined ? [] : ['--suite', options.suite]),
    ...(options.systemd === true ? ['--systemd'] : []),
    ...(options.packages === undefined ? [] : ['--with', options.packages.join(',')]),
    ...(options.large === true ? ['--large'] : []),
    ...(options.hostile === true ? ['--hostile'] : []),
  ];
  const { stdout } = await run(SCRIPT, ['up', unique, '--json', ...flags], { maxBuffer: MAX_OUTPUT });
  const server = Made.parse(JSON.parse(stdout));
  return {
    ...server,
    exec: async (command, user = 'root') =>
      (await run(SCRIPT, ['ssh', `${user}@${unique}`, command], { maxBuffer: MAX_OUTPUT })).stdout,
    [Symbol.asyncDispose]: async () => {
      await run(SCRIPT, ['down', unique]);
    },
  };
}
