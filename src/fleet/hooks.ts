/**
 * Commands and a web address of the user's that are told what happens: `pre` before a host or a batch begins, `post` when
 * it is done, `fail` when it failed. Each gets one JSON object: a command on its standard input, an address as a POST.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { P2cError } from '../errors.ts';
import type { HappeningOf } from '../report/events/schema.ts';
import type { Webhook } from './webhook.ts';

export type HookName = 'pre' | 'post' | 'fail';

export interface Hooks {
  readonly commands: Partial<Readonly<Record<HookName, string>>>;
  readonly webhook?: Webhook | undefined;
}

/** What a hook is told. */
export interface HookCall {
  readonly hook: HookName;
  readonly run: string;
  /** None for the batch. */
  readonly host?: string;
  readonly [detail: string]: unknown;
}

/** A hook may wait for a ticket to be written or a load balancer to drain, not for ever. */
const PATIENCE_MS = 300_000;
const KEPT = 2000;

export type HookEnd = HappeningOf<'hook-ended'>;

/**
 * Tells the hook of this name, and the webhook, which records its end itself. A command that fails is recorded; `pre` alone can keep its host from
 * being begun.
 * @throws P2cError `hook.failed` for a `pre` command that ends with another code than 0.
 */
export async function callHooks(hooks: Hooks, call: HookCall, record: (end: HookEnd) => void): Promise<void> {
  const { hook, host } = call;
  const told = host === undefined ? {} : { host };
  const command = hooks.commands[hook];
  const [ended] = await Promise.all([
    command === undefined ? undefined : runCommand(command, call),
    hooks.webhook?.tell(call),
  ]);
  if (ended === undefined) return;
  record({ event: 'hook-ended', ...told, hook, ...ended });
  if (hook !== 'pre' || ended.exitCode === 0) return;
  throw new P2cError(`the pre command ended with exit code ${ended.exitCode ?? 'none, for it was killed'}`, {
    code: 'hook.failed',
    hint: 'it decides whether the host is begun: see what it said',
    cause: new Error(ended.said.trim() || 'it said nothing'),
  });
}

type Ended = Pick<HookEnd, 'exitCode' | 'milliseconds' | 'said'>;

/** Through `sh -c`, as cron and git have it. Its output goes to nobody's standard output: that is for results. */
async function runCommand(command: string, call: HookCall): Promise<Ended> {
  const { hook, run, host = '' } = call;
  const began = performance.now();
  const child = spawn('/bin/sh', ['-c', command], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, P2C_HOOK: hook, P2C_RUN: run, P2C_HOST: host },
    // A group of its own, so that what it started can be ended with it.
    detached: true,
  });
  let said = '';
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString('utf8')).slice(-KEPT);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.stdin.on('error', () => {});
  child.stdin.end(JSON.stringify(call));
  const patience = setTimeout(() => endGroup(child.pid), PATIENCE_MS);
  try {
    const [code] = await once(child, 'close');
    return { exitCode: typeof code === 'number' ? code : null, milliseconds: performance.now() - began, said };
  } finally {
    clearTimeout(patience);
  }
}

function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It ended by itself meanwhile.
  }
}
