/** A real ssh-agent that holds the keys given. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';

const AGENT = '/usr/bin/ssh-agent';
const ADD = '/usr/bin/ssh-add';

/** @returns its socket. */
export async function startAgent(t: ExecutionContext, folder: string, keys: readonly string[]): Promise<string> {
  const socket = join(folder, 'agent');
  const agent = spawn(AGENT, ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  t.teardown(async () => {
    agent.kill();
    if (agent.exitCode === null && agent.signalCode === null) await once(agent, 'exit');
  });
  await once(agent.stdout, 'data');
  await promisify(execFile)(ADD, ['-q', ...keys], { env: { ...process.env, SSH_AUTH_SOCK: socket } });
  return socket;
}
