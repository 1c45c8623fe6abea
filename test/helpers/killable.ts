/** Runs test/helpers/stop-and-wait.ts as a process of its own, so that it can be killed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ExecutionContext } from 'ava';
import { moduleFile } from './own-process.ts';
import type { StopAndWait } from './stop-and-wait.ts';

const SCRIPT = moduleFile('stop-and-wait');

/** @returns once the applications are stopped. Killed with the test at the latest. */
export async function stopInAnotherProcess(t: ExecutionContext, request: StopAndWait): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...process.execArgv, SCRIPT, JSON.stringify(request)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('it ended before anything was stopped'))),
  ]);
  return child;
}
