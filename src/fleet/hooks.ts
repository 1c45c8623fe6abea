/**
 * Commands and a web address of the user's that are told what happens: `pre` before a host or a batch begins, `post` when
 * it is done, `fail` when it failed. Each gets one JSON object: a command on its standard input, an address as a POST.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { messageOf, P2cError } from '../errors.ts';
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
/** For a `pre` that is interrupted, to undo what it did. */
const MERCY_MS = 5000;
/** For the rest of what a hook said once it has ended. */
const GRACE_MS = 500;

export type HookEnd = HappeningOf<'hook-ended'>;

/**
 * Tells the hook of this name, and the webhook, which records its end itself. A command that fails is recorded; `pre` alone
 * can keep its host, or the batch, from being begun.
 * @param signal ends a `pre`, with all that it started: what it would begin is not begun. The others tell of what has happened.
 * @throws P2cError `hook.failed` for a `pre` command that ends with another code than 0; the signal's reason where it is interrupted.
 */
export async function callHooks(
  hooks: Hooks,
  call: HookCall,
  record: (end: HookEnd) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { hook, host } = call;
  const told = host === undefined ? {} : { host };
  const command = hooks.commands[hook];
  const interruption = hook === 'pre' ? signal : undefined;
  interruption?.throwIfAborted();
  const [ended] = await Promise.all([
    command === undefined ? undefined : runCommand(command, call, interruption),
    hooks.webhook?.tell(call),
  ]);
  if (ended === undefined) return;
  record({ event: 'hook-ended', ...told, hook, ...ended });
  interruption?.throwIfAborted();
  if (hook !== 'pre' || ended.exitCode === 0) return;
  const how = ended.exitCode === null ? 'was killed or could not be run' : `ended with exit code ${ended.exitCode}`;
  const [name, what] = host === undefined ? ['batch-pre', 'batch'] : ['pre', 'host'];
  throw new P2cError(`the ${name} command ${how}`, {
    code: 'hook.failed',
    hint: `it decides whether the ${what} is begun: see what it said`,
    cause: new Error(ended.said.trim() || 'it said nothing'),
  });
}

type Ended = Pick<HookEnd, 'exitCode' | 'milliseconds' | 'said'>;

/** Through `sh -c`, as cron and git have it. Its output goes to nobody's standard output: that is for results. */
async function runCommand(command: string, call: HookCall, signal: AbortSignal | undefined): Promise<Ended> {
  const { hook, run, host = '' } = call;
  const began = performance.now();
  const took = (): number => performance.now() - began;
  let said = '';
  let patience: NodeJS.Timeout | undefined;
  let mercy: NodeJS.Timeout | undefined;
  let interrupt = (): void => {};
  try {
    const child: ChildProcess = spawn('/bin/sh', ['-c', command], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, P2C_HOOK: hook, P2C_RUN: run, P2C_HOST: host },
      // A group of its own, so that what it started can be ended with it.
      detached: true,
    });
    // Listened to at once: where no process can be had, that is told next, and there may be no pipes.
    const ended = once(child, 'exit');
    const keep = (chunk: Buffer): void => {
      said = (said + chunk.toString('utf8')).slice(-KEPT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.stdin?.on('error', () => {});
    child.stdin?.end(JSON.stringify(call));
    patience = setTimeout(() => endGroup(child.pid, 'SIGKILL'), PATIENCE_MS);
    interrupt = () => {
      endGroup(child.pid, 'SIGTERM');
      mercy = setTimeout(() => endGroup(child.pid, 'SIGKILL'), MERCY_MS);
    };
    signal?.addEventListener('abort', interrupt, { once: true });
    const [code] = await ended;
    await outputOf(child);
    return { exitCode: typeof code === 'number' ? code : null, milliseconds: took(), said };
  } catch (error) {
    // No process can be had (EAGAIN), or the list of variables is too long (E2BIG): the hook has failed, not the batch.
    return { exitCode: null, milliseconds: took(), said: `it could not be run: ${messageOf(error)}` };
  } finally {
    clearTimeout(patience);
    clearTimeout(mercy);
    signal?.removeEventListener('abort', interrupt);
  }
}

/** Waits for what it said to the last, and not for a daemon that it left, which keeps the pipes open for ever. */
async function outputOf({ stdin, stdout, stderr }: ChildProcess): Promise<void> {
  const outputs = [stdout, stderr].filter((pipe) => pipe !== null);
  const ended = Promise.all(outputs.map((pipe) => finished(pipe).catch(() => {})));
  const grace = new AbortController();
  await Promise.race([ended, wait(GRACE_MS, undefined, { signal: grace.signal }).catch(() => {})]);
  grace.abort();
  for (const pipe of [stdin, ...outputs]) pipe?.destroy();
}

function endGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // It ended by itself meanwhile.
  }
}
