/**
 * The store's lock. It is the kernel's (flock(2), through util-linux's flock), so that the lock of a process that was
 * killed is free at once: a file that says who holds it would have to be judged, and the judging raced.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { P2cError } from '../errors.ts';

const PATIENCE_SECONDS = 60;
/** Exit code for a lock that somebody else has. */
const BUSY = '75';

/**
 * The shell has the file open, and flock locks it there. Once that is done the shell is deaf to what ends p2c in good order: p2c
 * gives the lock back, or the kernel with p2c's end. What may only be read can be locked too, as a folder can, but not on NFS.
 */
const LOCK_AND_WAIT = `
if [ ! -e "$1" ] || { [ -w "$1" ] && [ ! -d "$1" ]; }; then exec 9>>"$1"; else exec 9<"$1"; fi
flock -x -w "$2" -E ${BUSY} 9 || exit
trap '' HUP INT TERM
echo locked
read -r _`;
/** The shell's exit code where there is no such program. */
const NO_PROGRAM = 127;

/** Held until disposed of. */
export interface Lock extends AsyncDisposable {
  readonly file: string;
  /** @throws P2cError `store.lock` where somebody ended flock: another may have the lock now. */
  requireHeld(): void;
}

/**
 * @param patience seconds to wait for another holder.
 * @throws P2cError `store.busy` after that, `store.lock` where flock cannot be run.
 */
export async function lock(file: string, patience: number = PATIENCE_SECONDS): Promise<Lock> {
  // It holds the lock until its standard input ends: with us at the latest. In a session of its own: Ctrl-C must not take
  // the lock away while the index is written.
  const child = spawn('sh', ['-c', LOCK_AND_WAIT, 'sh', file, String(patience)], {
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let ended = false;
  // Listened to from the beginning: of a child that is gone already, nobody is told again.
  const exited = once(child, 'exit').then((how: unknown[]) => {
    ended = true;
    return endOf(how);
  });
  child.stdin.on('error', () => {});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1000);
  });
  const outcome = await Promise.race([once(child.stdout, 'data').then(() => 'locked' as const), exited]).catch(
    cannotRun,
  );
  if (outcome === `exit code ${BUSY}`) {
    throw new P2cError(`the store's lock ${file} was held by another p2c for ${patience} s`, {
      code: 'store.busy',
      hint: `see which with: fuser ${file}`,
    });
  }
  if (outcome !== 'locked') throw cannotLock(outcome, said);
  return {
    file,
    requireHeld() {
      if (ended) throw lost(file);
    },
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await exited.catch(() => {});
    },
  };
}

/**
 * Whether a process holds it. Asked with a shared lock, which stands in the way of none that asks at the same time.
 * @throws P2cError `store.lock` where flock cannot be run.
 */
export async function isLocked(file: string): Promise<boolean> {
  const child = spawn('flock', ['-s', '-n', '-E', BUSY, file, 'true'], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1000);
  });
  const how = endOf(await once(child, 'close').catch(cannotRun));
  if (how === 'exit code 0') return false;
  if (how === `exit code ${BUSY}`) return true;
  throw cannotLock(how, said);
}

/** As it is told: `exit code 1`, `SIGKILL`. */
function endOf([code, signal]: readonly unknown[]): string {
  return typeof code === 'number' ? `exit code ${code}` : String(signal);
}

function lost(file: string): P2cError {
  return new P2cError(`the store's lock ${file} was lost: somebody ended flock`, {
    code: 'store.lock',
    hint: 'nothing was written without it: do it again',
  });
}

function cannotRun(cause: unknown): never {
  throw new P2cError('the store cannot be locked: flock cannot be run', {
    code: 'store.lock',
    hint: 'flock is part of util-linux: install it',
    cause,
  });
}

function cannotLock(how: string, said: string): P2cError {
  if (how === `exit code ${NO_PROGRAM}`) return cannotRun(new Error(said.trim()));
  return new P2cError(`the store cannot be locked: flock ended with ${how}`, {
    code: 'store.lock',
    hint: 'is the store on a filesystem that can lock files?',
    cause: new Error(said.trim()),
  });
}
