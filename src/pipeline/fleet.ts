/** Runs one piece of work on each host of a batch. One host's failure leaves the others alone. */
import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { ExitCode, errorRecord, messageOf, P2cError } from '../errors.ts';
import { callHooks, type HookName, type Hooks } from '../fleet/hooks.ts';
import { Queue, type QueuedHost, type QueueLimits } from '../fleet/queue.ts';
import type { Run } from '../fleet/run.ts';
import { tryAgain } from '../report/waiting.ts';
import type { Memory } from './memory.ts';
import { mayHealLater, waitBefore } from './patience.ts';
import { type Place, runHost } from './run-host.ts';
import type { HostOfRun } from './run-memory.ts';
import type { Show } from './stage.ts';

export type HostOutcome<Host, Result> = { readonly host: Host; readonly result: Result } | Failed<Host>;

interface Failed<Host> {
  readonly host: Host;
  readonly error: unknown;
  /** False where it never was: the error says why. */
  readonly begun: boolean;
}

export interface FleetWork<Host, Result> {
  readonly run: Run;
  readonly place: Place;
  readonly hooks: Hooks;
  readonly limits: QueueLimits;
  /** How often a host is begun anew after a failure that may heal. */
  readonly attempts: number;
  /** Whether a later call can go on with what is not done. */
  readonly resumable: boolean;
  /** As the run knows it. */
  readonly identify: (host: Host) => HostOfRun;
  readonly showFor: (host: Host) => Show;
  readonly work: (host: Host, show: Show, memory: Memory, signal: AbortSignal) => Promise<Result>;
  readonly exitCode: (result: Result) => number;
  readonly signal: AbortSignal;
}

/** @returns an outcome for every host, in the hosts' order; hosts not begun when interrupted have the interruption for their error. */
export async function runHosts<Host extends QueuedHost, Result>(
  hosts: readonly Host[],
  work: FleetWork<Host, Result>,
): Promise<HostOutcome<Host, Result>[]> {
  // Every host that is under way listens to it, by more than one of its stages: Node would warn of eleven.
  setMaxListeners(0, work.signal);
  const batch = new Batch(hosts, work);
  await batch.run();
  return batch.outcomes();
}

class Batch<Host extends QueuedHost, Result> {
  readonly #hosts: readonly Host[];
  readonly #work: FleetWork<Host, Result>;
  readonly #queue: Queue<Host>;
  readonly #outcomes = new Map<Host, HostOutcome<Host, Result>>();
  readonly #running = new Set<Promise<void>>();
  readonly #reasons = new Map<Host, string>();
  /** Of hosts that are begun anew, each one's last. */
  readonly #failures = new Map<Host, { readonly count: number; readonly error: unknown }>();

  constructor(hosts: readonly Host[], work: FleetWork<Host, Result>) {
    this.#hosts = hosts;
    this.#work = work;
    this.#queue = new Queue(hosts, work.limits, work.resumable);
  }

  outcomes(): HostOutcome<Host, Result>[] {
    return this.#hosts.flatMap((host) => this.#outcomes.get(host) ?? []);
  }

  async run(): Promise<void> {
    const { signal } = this.#work;
    while (!this.#queue.over) {
      if (signal.aborted) return this.#interrupt(signal.reason);
      const { start, waiting, givenUp, wake } = this.#queue.decide(Date.now());
      for (const { host, error } of givenUp) this.#giveUp(host, error);
      for (const { host, reason } of waiting) this.#tellWaiting(host, reason);
      for (const host of start) this.#start(host);
      if (givenUp.length > 0 && start.length === 0) continue;
      await this.#somethingHappens(wake);
    }
  }

  #start(host: Host): void {
    const running = this.#runOne(host)
      // A fault of p2c at one host must not end the batch, either: the others' applications may be stopped.
      .catch((error: unknown) => this.#ended(host, { host, error, begun: true }))
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** One attempt: after one that may heal, the queue begins the host anew, and others have its place until then. */
  async #runOne(host: Host): Promise<void> {
    const failures = this.#failures.get(host)?.count ?? 0;
    const error = failures === 0 ? await this.#prepared(host) : undefined;
    if (failures === 0 && this.#work.signal.aborted) return this.#endPrepared(host);
    const outcome = error === undefined ? await this.#attempt(host, failures + 1) : { host, error, begun: true };
    if (outcome !== 'again') await this.#end(host, outcome);
  }

  /** @returns how its `pre` failed, which is the host's failure. */
  async #prepared(host: Host): Promise<unknown> {
    if (this.#work.hooks.commands.pre !== undefined) this.#tellWaiting(host, 'for its pre command');
    try {
      await this.#call(host, 'pre');
      return undefined;
    } catch (error) {
      if (this.#work.signal.aborted) return undefined;
      this.#work.run.note({ event: 'host-failed', host: host.name, milliseconds: 0, error: errorRecord(error) });
      return error;
    }
  }

  /** Interrupted while it was prepared, it is not begun; what its `pre` did is for its `fail` to undo. */
  async #endPrepared(host: Host): Promise<void> {
    const { hooks, signal } = this.#work;
    const error = notBegun(signal.reason);
    this.#giveUp(host, error);
    if (hooks.commands.pre !== undefined) await this.#call(host, 'fail', { error: errorRecord(error) });
  }

  #call(host: Host, hook: HookName, details: object = {}): Promise<void> {
    const { run, hooks, signal } = this.#work;
    return callHooks(hooks, { hook, run: run.id, host: host.name, ...details }, (end) => run.note(end), signal);
  }

  async #attempt(host: Host, attempt: number): Promise<HostOutcome<Host, Result> | 'again'> {
    const { run, place, attempts, identify, showFor, work, exitCode, signal } = this.#work;
    try {
      const doing = (recording: Show, memory: Memory): Promise<Result> => work(host, recording, memory, signal);
      const what = { host: identify(host), attempt, show: showFor(host), work: doing, exitCode, signal };
      return { host, result: await runHost(run, place, what) };
    } catch (error) {
      if (attempt >= attempts || signal.aborted || !mayHealLater(error)) return { host, error, begun: true };
      this.#postpone(host, attempt, error);
      return 'again';
    }
  }

  #postpone(host: Host, failures: number, error: unknown): void {
    const { name } = host;
    const waitMs = waitBefore(failures);
    const until = Date.now() + waitMs;
    this.#failures.set(host, { count: failures, error });
    // The event says what it waits for.
    this.#reasons.set(host, tryAgain(until));
    this.#work.run.note({ event: 'host-retrying', host: name, failures, waitMs, error: errorRecord(error) });
    this.#queue.postponed(host, until);
  }

  async #end(host: Host, outcome: HostOutcome<Host, Result>): Promise<void> {
    if ('error' in outcome) await this.#call(host, 'fail', { error: errorRecord(outcome.error) });
    else await this.#call(host, 'post', { result: outcome.result });
    this.#ended(host, outcome);
  }

  #ended(host: Host, outcome: HostOutcome<Host, Result>): void {
    this.#outcomes.set(host, outcome);
    this.#queue.ended(host, 'error' in outcome ? 'failed' : 'done');
  }

  #giveUp(host: Host, error: unknown): void {
    this.#outcomes.set(host, { host, error, begun: false });
    const what = { host: host.name, milliseconds: 0, error: errorRecord(error), begun: false };
    this.#work.run.note({ event: 'host-failed', ...what });
  }

  #tellWaiting(host: Host, reason: string): void {
    if (this.#reasons.get(host) === reason) return;
    this.#reasons.set(host, reason);
    this.#work.run.tell({ event: 'host-waiting', host: host.name, reason });
  }

  /** A host ends, a window opens, or the batch is interrupted. */
  async #somethingHappens(wake: number | undefined): Promise<void> {
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#work.signal]);
    const waits: Promise<unknown>[] = [...this.#running];
    // Without a window to wait for, only the end of a host changes anything.
    const longest = 3_600_000;
    const until = wake === undefined ? longest : Math.min(longest, Math.max(0, wake - Date.now()));
    waits.push(setTimeout(until, undefined, { signal }).catch(() => {}));
    await Promise.race(waits);
    stop.abort();
  }

  /** Those under way end with it, in good order. */
  async #interrupt(reason: unknown): Promise<void> {
    await Promise.all(this.#running);
    for (const host of this.#hosts) {
      if (this.#outcomes.has(host)) continue;
      const failure = this.#failures.get(host);
      if (failure === undefined) this.#giveUp(host, notBegun(reason));
      else await this.#endBetweenAttempts(host, reason, failure.error);
    }
  }

  /** Why it failed the last time is told beneath the interruption. */
  async #endBetweenAttempts(host: Host, reason: unknown, cause: unknown): Promise<void> {
    const error = new P2cError(messageOf(reason), { ...interruptionOf(reason), cause });
    this.#work.run.note({ event: 'host-failed', host: host.name, milliseconds: 0, error: errorRecord(error) });
    await this.#end(host, { host, error, begun: true });
  }
}

function notBegun(reason: unknown): P2cError {
  return new P2cError(`it was not begun: ${messageOf(reason)}`, interruptionOf(reason));
}

function interruptionOf(reason: unknown): { code: string; exitCode: ExitCode } {
  const { code, exitCode } =
    reason instanceof P2cError ? reason : { code: 'interrupted', exitCode: ExitCode.interrupted };
  return { code, exitCode };
}
