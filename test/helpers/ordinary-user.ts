/** A user of this machine who is not root, made for a test and gone with it, and p2c as he calls it. */
import { execFile, spawn } from 'node:child_process';
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import type { ExecutionConfig } from '../../src/oci/spec.ts';
import { storeWith } from './runtime-image.ts';
import { temporaryFolder } from './temporary.ts';

const run = promisify(execFile);

const HOME = fileURLToPath(new URL('../..', import.meta.url));
let made = 0;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface OrdinaryUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
  /** The first of his subordinate user ids. */
  readonly firstId: number;
  /** His store. */
  readonly root: string;
  call(...args: readonly string[]): Promise<Ended>;
  /** As `call`, where these files of the machine are not to be had. */
  callWithout(files: readonly string[], ...args: readonly string[]): Promise<Ended>;
  /** Fails the test where the exit code is not 0. @returns standard output without the last line feed. */
  ok(...args: readonly string[]): Promise<string>;
}

/** With an image `test:latest` of these layers, the lowest first. */
export async function ordinaryUser(
  t: ExecutionContext,
  layers: readonly Buffer[],
  execution: ExecutionConfig = {},
): Promise<OrdinaryUser> {
  made += 1;
  const name = `p2c-${process.pid}-${made}`;
  await run('useradd', ['--create-home', '--shell', '/bin/sh', name]);
  t.teardown(async () => {
    await run('userdel', ['--remove', name]).catch((error: unknown) => t.log(String(error)));
  });
  const [, , uid = '', gid = '', , home = ''] = (await run('getent', ['passwd', name])).stdout.trim().split(':');
  const user = { name, uid: Number(uid), gid: Number(gid), home };
  const firstId = await subordinateIds(name);
  const root = join(home, 'store');
  const store = await storeWith(t, layers, execution);
  cpSync(store.root, root, { recursive: true });
  for (const path of [
    root,
    ...readdirSync(root, { recursive: true, encoding: 'utf8' }).map((each) => join(root, each)),
  ]) {
    chownSync(path, user.uid, user.gid);
  }
  const cli = join(await readableCheckout(t), 'dist/cli.cjs');
  const callWithout = (files: readonly string[], ...args: readonly string[]): Promise<Ended> =>
    p2c({ ...user, root, cli }, files, args);
  const call = (...args: readonly string[]): Promise<Ended> => callWithout([], ...args);
  const ok = async (...args: readonly string[]): Promise<string> => {
    const { code, stdout, stderr } = await call(...args);
    t.is(code, 0, `p2c ${args.join(' ')}: ${stderr}`);
    return stdout.replace(/\n$/, '');
  };
  t.teardown(async () => {
    await call('rm', '-f', '-a').catch(() => undefined);
  });
  return { ...user, firstId, root, call, callWithout, ok };
}

/** useradd(8) gives some where login.defs(5) says so. */
async function subordinateIds(name: string): Promise<number> {
  const first = (): number | undefined => {
    const line = readFileSync('/etc/subuid', 'latin1')
      .split('\n')
      .find((each) => each.startsWith(`${name}:`));
    return line === undefined ? undefined : Number(line.split(':')[1]);
  };
  if (first() === undefined) {
    const begin = 1_000_000 + (process.pid % 30_000) * 65_536;
    const range = `${begin}-${begin + 65_535}`;
    await run('usermod', ['--add-subuids', range, '--add-subgids', range, name]);
  }
  return first() ?? 0;
}

/** The checkout, or another name of it where its own leads through a folder that is closed to others. */
async function readableCheckout(t: ExecutionContext): Promise<string> {
  if (isOpen(join(HOME, 'dist'))) return HOME;
  const place = await temporaryFolder(t);
  await run('chmod', ['755', place]);
  const mounted = join(place, 'checkout');
  mkdirSync(mounted);
  await run('mount', ['--bind', HOME, mounted]);
  t.teardown(() => run('umount', ['-l', mounted]).then(() => undefined));
  return mounted;
}

function isOpen(path: string): boolean {
  if (path === '/') return true;
  return (statSync(path).mode & 0o001) !== 0 && isOpen(dirname(path));
}

function p2c(
  {
    uid,
    gid,
    name,
    home,
    root,
    cli,
  }: { uid: number; gid: number; name: string; home: string; root: string; cli: string },
  without: readonly string[],
  args: readonly string[],
): Promise<Ended> {
  const env = ['env', '-i', `HOME=${home}`, `USER=${name}`, 'PATH=/usr/bin:/bin', `P2C_ROOT=${root}`];
  const asUser = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups', '--reset-env', ...env];
  const words = [...asUser, process.execPath, '--', cli, ...args];
  const hidden = without.map((file) => `mount -n --bind /dev/null ${file}`).join(' && ');
  const [program = '', ...rest] =
    without.length === 0 ? words : ['unshare', '--mount', 'sh', '-c', `${hidden} && exec "$@"`, 'sh', ...words];
  const child = spawn(program, rest, { cwd: home, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** What a user's containers may leave behind. */
export function remainsOf({ root, uid, firstId }: OrdinaryUser): {
  files: string[];
  mounts: string[];
  processes: string[];
} {
  const containers = join(root, 'containers');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return {
    files: existsSync(containers) ? readdirSync(containers, { recursive: true, encoding: 'utf8' }).sort() : [],
    mounts: pids.filter((pid) => textOf(`/proc/${pid}/mountinfo`).includes(`${root}/`)),
    processes: pids.flatMap((pid) => {
      const status = textOf(`/proc/${pid}/status`);
      const owner = Number(/^Uid:\s*(\d+)/m.exec(status)?.[1] ?? -1);
      const isTheirs = owner === uid || (owner >= firstId && owner < firstId + 65_536);
      return isTheirs && !/^State:\s*Z/m.test(status) ? [textOf(`/proc/${pid}/cmdline`)] : [];
    }),
  };
}

export const NOTHING_REMAINS = { files: ['names'], mounts: [], processes: [] };

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Owners of a path as the machine numbers them. */
export function ownersOf(path: string): [uid: number, gid: number] {
  const { uid, gid } = lstatSync(path);
  return [uid, gid];
}
