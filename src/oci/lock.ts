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

/** Held until disposed of. */
export interface Lock extends AsyncDisposable {
  readonly file: string;
}

/**
 * @param patience seconds to wait for another holder.
 * @throws P2cError `store.busy` after that, `store.lock` where flock cannot be run.
 */
export async function lock(file: string, patience: number = PATIENCE_SECONDS): Promise<Lock> {
  // The child holds the lock until its standard input ends: with us at the latest.
  const args = ['-x', '-w', String(patience), '-E', BUSY, file, 'sh', '-c', 'echo locked; read -r _'];
  // In a session of its own: Ctrl-C must not take the lock away while the index is written.
  const child = spawn('flock', args, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stdin.on('error', () => {});
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString('utf8')).slice(-1000);
  });
  const code = await Promise.race([
    once(child.stdout, 'data').then(() => 'locked' as const),
    once(child, 'exit').then(([exit]) => Number(exit)),
  ]).catch(cannotRun);
  if (code === Number(BUSY)) {
    throw new P2cError(`the store's lock ${file} was held by another p2c for ${patience} s`, {
      code: 'store.busy',
      hint: `see which with: fuser ${file}`,
    });
  }
  if (code !== 'locked') throw cannotLock(code, said);
  return {
    file,
    async [Symbol.asyncDispose]() {
      const ended = child.exitCode === null ? once(child, 'exit') : undefined;
      child.stdin.end();
      await ended;
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
  const [code] = await once(child, 'close').catch(cannotRun);
  if (code === 0) return false;
  if (code === Number(BUSY)) return true;
  throw cannotLock(Number(code), said);
}

function cannotRun(cause: unknown): never {
  throw new P2cError('the store cannot be locked: flock cannot be run', {
    code: 'store.lock',
    hint: 'flock is part of util-linux: install it',
    cause,
  });
}

function cannotLock(code: number, said: string): P2cError {
  return new P2cError(`the store cannot be locked: flock ended with exit code ${code}`, {
    code: 'store.lock',
    hint: 'is the store on a filesystem that can lock files?',
    cause: new Error(said.trim()),
  });
}
