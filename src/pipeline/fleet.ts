/** Runs one piece of work on each host of a batch. One host's failure leaves the others alone. */
import { setMaxListeners } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import { errorRecord, messageOf } from '../errors.ts';
import { callHooks, type HookName, type Hooks } from '../fleet/hooks.ts';
import { Queue, type QueuedHost, type QueueLimits } from '../fleet/queue.ts';
import type { Run } from '../fleet/run.ts';
import type { Memory } from './memory.ts';
import { mayHealLater, waitBefore } from './patience.ts';
import { type Place, runHost } from './run-host.ts';
import type { HostOfRun } from './run-memory.ts';
import type { Show } from './stage.ts';

export type HostOutcome<Host, Result> =
  | { readonly host: Host; readonly result: Result }
  | { readonly host: Host; readonly error: unknown };

export interface FleetWork<Host, Result> {
  readonly run: Run;
  readonly place: Place;
  readonly hooks: Hooks;
  readonly limits: QueueLimits;
  /** How often a host is begun anew after a failure that may heal. */
  readonly attempts: number;
  /** As the run knows it. */
  readonly identify: (host: Host) => HostOfRun;
  readonly showFor: (host: Host) => Show;
  readonly work: (host: Host, show: Show, memory: Memory, signal: AbortSignal) => Promise<Result>;
  readonly exitCode: (result: Result) => number;
  readonly signal: AbortSignal;
}

/** @returns an outcome for every host, in the hosts' order; hosts not begun when interrupted fail with the interruption. */
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

  constructor(hosts: readonly Host[], work: FleetWork<Host, Result>) {
    this.#hosts = hosts;
    this.#work = work;
    this.#queue = new Queue(hosts, work.limits);
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
    const running = this.#runOne(host).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async #runOne(host: Host): Promise<void> {
    const outcome = await this.#hooked(host);
    this.#outcomes.set(host, outcome);
    this.#queue.ended(host, 'error' in outcome ? 'failed' : 'done');
  }

  /** A `pre` that fails is the host's failure. */
  async #hooked(host: Host): Promise<HostOutcome<Host, Result>> {
    const { run, hooks } = this.#work;
    const call = (hook: HookName, details: object = {}): Promise<void> =>
      callHooks(hooks, { hook, run: run.id, host: host.name, ...details }, (end) => run.note(end));
    if (hooks.commands.pre !== undefined) this.#tellWaiting(host, 'for its pre command');
    try {
      await call('pre');
    } catch (error) {
      run.note({ event: 'host-failed', host: host.name, milliseconds: 0, error: errorRecord(error) });
      await call('fail', { error: errorRecord(error) });
      return { host, error };
    }
    const outcome = await this.#attempts(host);
    if ('error' in outcome) await call('fail', { error: errorRecord(outcome.error) });
    else await call('post', { result: outcome.result });
    return outcome;
  }

  async #attempts(host: Host): Promise<HostOutcome<Host, Result>> {
    const { run, place, attempts, identify, showFor, work, exitCode, signal } = this.#work;
    for (let attempt = 1; ; attempt += 1) {
      try {
        const show = showFor(host);
        const doing = (recording: Show, memory: Memory): Promise<Result> => work(host, recording, memory, signal);
        return {
          host,
          result: await runHost(run, place, { host: identify(host), attempt, show, work: doing, exitCode }),
        };
      } catch (error) {
        if (attempt >= attempts || signal.aborted || !mayHealLater(error)) return { host, error };
        const waitMs = waitBefore(attempt);
        run.note({ event: 'host-retrying', host: host.name, failures: attempt, waitMs, error: errorRecord(error) });
        showFor(host).note(
          `${messageOf(error)}; begun anew in ${Math.round(waitMs / 1000)} s (${attempt + 1} of ${attempts})`,
        );
        await setTimeout(waitMs, undefined, { signal }).catch(() => {});
      }
    }
  }

  #giveUp(host: Host, error: unknown): void {
    this.#outcomes.set(host, { host, error });
    this.#work.run.note({ event: 'host-failed', host: host.name, milliseconds: 0, error: errorRecord(error) });
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
    for (const host of this.#hosts) if (!this.#outcomes.has(host)) this.#giveUp(host, reason);
  }
}
