/** Small real applications for tests of stopping and starting: a process of an own name, started as a daemon. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { LeasePlace } from '../../src/profiles/lease-scripts.ts';
import { type Profile, profileSchema } from '../../src/profiles/schema.ts';

/** A folder for one test with the lease's place in it; every process that runs from it is ended with the test. */
export interface Playground {
  readonly folder: string;
  readonly place: LeasePlace;
  readonly lock: string;
}

export function playground(t: ExecutionContext): Playground {
  const folder = mkdtempSync(join(tmpdir(), 'p2c-quiesce-'));
  mkdirSync(join(folder, 'run'));
  t.teardown(() => {
    for (const pid of processesOf(folder)) process.kill(pid, 'SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    place: { folders: [join(folder, 'run')], logFile: join(folder, 'lease.log') },
    lock: join(folder, 'run', 'p2c.lease'),
  };
}

/** Those with the folder in their command line: applications and watchdogs. */
export function processesOf(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(`${folder}/`) && !isZombie(pid);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function isZombie(pid: string): boolean {
  return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'latin1'));
}

export interface FakeApplication {
  readonly name: string;
  /** Scripts for a profile's steps. */
  readonly stop: string;
  readonly start: string;
  readonly profile: Profile;
  isUp(): boolean;
  pid(): number;
}

/** Starts it. `change` edits the profile before it is checked. */
export function fakeApplication(
  { folder }: Playground,
  change: (profile: { name: string; stop: object[]; start: object[] }) => object = (profile) => profile,
): FakeApplication {
  const name = `app${randomBytes(5).toString('hex')}`;
  const program = join(folder, name);
  const pidFile = `${program}.pid`;
  copyFileSync('/bin/sleep', program);
  const stop = `kill $(cat ${pidFile})`;
  const start = `${program} 1000 >/dev/null 2>&1 & echo $! >${pidFile}`;
  execFileSync('sh', ['-c', start]);
  const up = { process: name };
  const raw = { name, stop: [{ run: stop, timeout: '10s', down: up }], start: [{ run: start, timeout: '10s', up }] };
  return {
    name,
    stop,
    start,
    profile: profileSchema.parse(change(raw)),
    isUp: () => processesOf(folder).some((pid) => commOf(pid) === name),
    pid: () => Number(readFileSync(pidFile, 'utf8')),
  };
}

function commOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '';
  }
}

/** A folder to put before PATH, in which `sh` is the given shell. */
export function shellFolder({ folder }: Playground, shell: string): string {
  const path = join(folder, 'shell');
  mkdirSync(path);
  const program = ['/bin', '/usr/bin'].map((place) => join(place, shell)).find((file) => existsSync(file));
  if (program === undefined) throw new Error(`${shell} is not installed`);
  symlinkSync(program, join(path, 'sh'));
  return path;
}

/** Waits until the condition holds; fails the test after the limit. */
export async function eventually(
  t: ExecutionContext,
  what: string,
  condition: () => boolean | Promise<boolean>,
  limitMs = 120_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await condition())) {
    if (performance.now() > end) return t.fail(`${what}: not within ${limitMs / 1000} s`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
