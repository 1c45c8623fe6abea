/**
 * The lease on a source: while it is renewed the applications stay stopped; when p2c is killed, the link is lost or the
 * machine sleeps, the watchdog starts them again.
 */
import { randomUUID } from 'node:crypto';
import { P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RemoteCommand, Session } from '../ssh/session.ts';
import * as scripts from './lease-scripts.ts';
import { LeaseExit, type LeasePlace } from './lease-scripts.ts';
import { busy, leaseFailed, lookAtLease } from './lease-sight.ts';
import { formatSeconds } from './quantity.ts';
import { type WatchdogPlan, watchdogScript } from './watchdog.ts';

export interface LeaseOptions {
  readonly place: LeasePlace;
  /** Milliseconds without a renewal after which the watchdog acts. */
  readonly leaseMs: number;
  /** Who holds it, for the other run's error: `ann@laptop, pid 4711`. */
  readonly holder: string;
  readonly plan: Omit<WatchdogPlan, 'token' | 'leaseMs' | 'logFile'>;
  readonly onTrouble: (message: string) => void;
}

/** A lease that p2c holds. Renewed every third of its time until it is handed back or abandoned. */
export class Lease {
  readonly #session: Session;
  readonly #options: LeaseOptions;
  readonly #token: string;
  readonly #lost = new AbortController();
  #count = 0;
  #renewed = now();
  #timer: NodeJS.Timeout | undefined;
  /** Ends with the last command that was asked for. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(session: Session, options: LeaseOptions, token: string) {
    this.#session = session;
    this.#options = options;
    this.#token = token;
  }

  /** @throws P2cError `quiesce.busy`, `quiesce.lease-failed`; nothing was stopped then. */
  static async begin(session: Session, options: LeaseOptions): Promise<Lease> {
    const { place, leaseMs, holder } = options;
    const token = randomUUID();
    const watchdog = watchdogScript({ ...options.plan, token, leaseMs, logFile: place.logFile });
    const lease = new Lease(session, options, token);
    const result = await session.run(scripts.beginCommand(place, token, printable(holder), watchdog));
    if (result.code === LeaseExit.notOurs) throw busy(session, await lookAtLease(session, place));
    if (result.code !== 0) throw leaseFailed(session, `could not be begun (exit code ${result.code})`, result.stderr);
    lease.#schedule(leaseMs / 3);
    return lease;
  }

  get token(): string {
    return this.#token;
  }

  get leaseMs(): number {
    return this.#options.leaseMs;
  }

  /** Aborts with a P2cError `quiesce.lease-lost` once the watchdog acts, or may act for all that p2c knows. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** @returns `held`; `expired` where the watchdog acts or acted. Rejects where the source cannot be reached. */
  renew(): Promise<'held' | 'expired'> {
    return this.#inTurn(() => this.#renew());
  }

  async #renew(): Promise<'held' | 'expired'> {
    const sent = now();
    const timeoutMs = Math.max(1000, Math.min(30_000, this.leaseMs / 3));
    this.#count += 1;
    const command = scripts.renewCommand(this.#options.place, this.#token, this.#count, timeoutMs);
    const { code, stderr } = await this.#session.run(command);
    if (code === LeaseExit.notOurs || code === LeaseExit.expired) {
      this.#lose(`the lease on ${this.#session.target.name} ran out after ${formatSeconds(this.leaseMs)}`);
      return 'expired';
    }
    if (code === LeaseExit.noWatchdog) {
      this.#options.onTrouble('the watchdog on the server was killed; it is started again');
      await this.#demand(scripts.relaunchCommand(this.#options.place, this.#token), 'could not be begun again');
    } else if (code !== 0) throw leaseFailed(this.#session, `could not be renewed (exit code ${code})`, stderr);
    this.#renewed = sent;
    return 'held';
  }

  /** Notes on the source that application `number` runs again. */
  async settle(number: number): Promise<void> {
    const command = scripts.settleCommand(this.#options.place, this.#token, number);
    await this.#inTurn(() => this.#demand(command, 'could not be settled'));
  }

  /** Ends the watchdog and removes all that p2c put on the source. */
  async handBack(): Promise<void> {
    this.abandon();
    const command = scripts.handBackCommand(this.#options.place, this.#token);
    await this.#inTurn(() => this.#demand(command, 'could not be handed back'));
  }

  /**
   * The same, with applications that stay stopped.
   * @throws P2cError `quiesce.lease-lost` where the watchdog was quicker, `quiesce.lease-failed`.
   */
  async leaveStopped(): Promise<void> {
    this.abandon();
    try {
      await this.#inTurn(() => this.#leaveStopped());
    } catch (error) {
      // They are started instead: until then the watchdog is kept waiting.
      if (!this.#lost.signal.aborted) this.#schedule(this.leaseMs / 3);
      throw error;
    }
  }

  async #leaveStopped(): Promise<void> {
    // Renewed first: then the watchdog is not just about to act.
    const held = await this.#renew();
    const command = scripts.handBackCommand(this.#options.place, this.#token, 'leave');
    const { code, stderr } =
      held === 'held' ? await this.#session.run(command) : { code: LeaseExit.expired, stderr: '' };
    if (code === LeaseExit.notOurs || code === LeaseExit.expired) {
      this.#lose(`the lease on ${this.#session.target.name} ran out after ${formatSeconds(this.leaseMs)}`);
      this.#lost.signal.throwIfAborted();
    }
    if (code !== 0) throw leaseFailed(this.#session, `could not be handed back (exit code ${code})`, stderr);
  }

  /**
   * Makes sure that the watchdog has not acted up to now: what was copied is of a still system.
   * @throws P2cError `quiesce.lease-lost`.
   */
  async confirm(): Promise<void> {
    try {
      await this.renew();
    } catch {
      // Out of reach: while the lease lasts nobody starts anything there.
      if (this.remainingMs <= 0) {
        this.#lose(`the lease on ${this.#session.target.name} could not be renewed for ${formatSeconds(this.leaseMs)}`);
      }
    }
    this.#lost.signal.throwIfAborted();
  }

  /** Renews no more: the watchdog will act when the lease runs out. */
  abandon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Milliseconds until the watchdog may act. */
  get remainingMs(): number {
    const { steady, wall } = now();
    const elapsed = Math.max(steady - this.#renewed.steady, wall - this.#renewed.wall);
    return Math.max(0, this.leaseMs - elapsed);
  }

  /**
   * One command at a time: a renewal beside a hand-back finds the watchdog ended by that, starts another, and that one finds
   * its lease gone and starts all that is to stay stopped.
   */
  #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => {});
    return result;
  }

  async #demand(command: RemoteCommand, what: string): Promise<void> {
    const { code, stderr } = await this.#session.run(command);
    if (code !== 0) throw leaseFailed(this.#session, `${what} (exit code ${code})`, stderr);
  }

  #schedule(ms: number): void {
    // Not a reason to stay alive: a process that ends without handing back leaves the rest to the watchdog.
    this.#timer = setTimeout(() => void this.#tick(), ms).unref();
  }

  async #tick(): Promise<void> {
    let next = this.leaseMs / 3;
    try {
      const renewed = await this.#inTurn(async () => (this.#timer === undefined ? 'abandoned' : this.#renew()));
      if (renewed === 'expired') return this.abandon();
    } catch (error) {
      this.#options.onTrouble(
        `the lease could not be renewed: ${error instanceof Error ? error.message : String(error)}`,
      );
      next = Math.min(5000, this.leaseMs / 6);
      if (this.remainingMs <= 0) {
        this.#lose(`the lease on ${this.#session.target.name} could not be renewed for ${formatSeconds(this.leaseMs)}`);
        return this.abandon();
      }
    }
    if (this.#timer !== undefined) this.#schedule(next);
  }

  #lose(message: string): void {
    if (this.#lost.signal.aborted) return;
    this.#lost.abort(
      new P2cError(
        `${message}: the watchdog there starts the applications again, and the capture is not one of a still system`,
        {
          code: 'quiesce.lease-lost',
          hint: 'run it again; on a slow or busy link with a longer --lease',
        },
      ),
    );
  }
}

/** By two clocks: the steady one stands still while the machine sleeps (clock_gettime(2)), the other may be set. */
function now(): { readonly steady: number; readonly wall: number } {
  return { steady: performance.now(), wall: Date.now() };
}
