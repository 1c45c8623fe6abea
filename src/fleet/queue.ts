/**
 * Which hosts of a batch may begin now, and why the others wait. It starts nothing and knows no clock: it is asked.
 * A host that waits for its next attempt is under way: it holds no place, and nothing but the want of one keeps it back.
 */
import { P2cError } from '../errors.ts';
import { formatClock, formatCount } from '../report/units.ts';
import { tryAgain } from '../report/waiting.ts';
import { wavesOf } from './waves.ts';

export interface QueuedHost {
  readonly name: string;
  readonly groups?: readonly string[];
  /** Hosts that are to be done before it, where they are in the batch. */
  readonly after?: readonly string[];
  /** The jump host that it is reached through. */
  readonly jump?: string | undefined;
  /** Of hosts that have the same, one is begun at a time: they are one server. */
  readonly endpoint?: string | undefined;
  /** @returns when its maintenance window opens, in milliseconds since 1970: not after `now` while it is open, Infinity for never. */
  readonly opens?: ((now: number) => number) | undefined;
}

export interface QueueLimits {
  readonly concurrency: number;
  /** Sizes of the waves, of which the last counts for all that follow; without any there is one wave. */
  readonly serial?: readonly number[];
  readonly perJump?: number | undefined;
  /** By group's name. */
  readonly perGroup?: ReadonlyMap<string, number>;
  /** When more hosts have failed, no further one begins. */
  readonly maxFailures?: number | undefined;
}

export interface Decision<Host> {
  readonly start: readonly Host[];
  readonly waiting: readonly { readonly host: Host; readonly reason: string }[];
  /** Those that will not begin any more. */
  readonly givenUp: readonly { readonly host: Host; readonly error: P2cError }[];
  /** When to ask again though nothing ended; milliseconds since 1970. */
  readonly wake: number | undefined;
}

type State = 'waiting' | 'running' | 'done' | 'failed' | 'not begun';

const OVER: ReadonlySet<State | undefined> = new Set<State>(['done', 'failed', 'not begun']);

export class Queue<Host extends QueuedHost> {
  readonly #hosts: readonly Host[];
  readonly #limits: QueueLimits;
  readonly #resumable: boolean;
  readonly #states = new Map<string, State>();
  /** When hosts that failed and may heal are begun anew, in milliseconds since 1970. */
  readonly #again = new Map<string, number>();
  /** Number of the wave that a host is in, from 0. */
  readonly #waves: ReadonlyMap<Host, number>;

  /** @param resumable whether a later call can go on with what is not done. */
  constructor(hosts: readonly Host[], limits: QueueLimits, resumable = true) {
    this.#resumable = resumable;
    this.#hosts = hosts;
    this.#limits = limits;
    for (const { name } of hosts) this.#states.set(name, 'waiting');
    this.#waves = wavesOf(hosts, limits.serial ?? []);
  }

  /** Hosts that start are counted as running from now on, and those given up as not begun. */
  decide(now: number): Decision<Host> {
    const start: Host[] = [];
    const waiting: { host: Host; reason: string }[] = [];
    const givenUp: { host: Host; error: P2cError }[] = [];
    const wakes: number[] = [];
    const running = this.#hosts.filter(({ name }) => this.#states.get(name) === 'running');
    const wave = this.#wave();
    for (const host of this.#hosts) {
      if (this.#states.get(host.name) !== 'waiting') continue;
      const error = this.#lost(host, now);
      if (error !== undefined) {
        this.#states.set(host.name, 'not begun');
        givenUp.push({ host, error });
        continue;
      }
      const { from, why } = this.#notBefore(host, now);
      if (from > now) wakes.push(from);
      // The window is told first: it is what a person can do nothing about, and reckons with.
      const reason = from > now ? why(from) : this.#hindrance(host, running, wave);
      if (reason !== undefined) waiting.push({ host, reason });
      else {
        this.#states.set(host.name, 'running');
        running.push(host);
        start.push(host);
      }
    }
    return { start, waiting, givenUp, wake: wakes.length === 0 ? undefined : Math.min(...wakes) };
  }

  ended(host: Host, outcome: 'done' | 'failed'): void {
    this.#states.set(host.name, outcome);
    this.#again.delete(host.name);
  }

  /** It failed, and is begun anew at a moment: until then others have its place. */
  postponed(host: Host, until: number): void {
    this.#states.set(host.name, 'waiting');
    this.#again.set(host.name, until);
  }

  get over(): boolean {
    return [...this.#states.values()].every((state) => OVER.has(state));
  }

  /** Why it will not begin any more. */
  #lost(host: Host, now: number): P2cError | undefined {
    if (this.#again.has(host.name)) return undefined;
    const lost = host.after?.find((name) => ['failed', 'not begun'].includes(this.#states.get(name) ?? ''));
    if (lost !== undefined) return afterLost(lost, this.#states.get(lost) === 'failed');
    const { maxFailures } = this.#limits;
    const failures = [...this.#states.values()].filter((state) => state === 'failed').length;
    if (maxFailures !== undefined && failures > maxFailures) return tooMany(failures, this.#resumable);
    return host.opens?.(now) === Number.POSITIVE_INFINITY ? tooLate() : undefined;
  }

  /** When it may begin, and the words for the wait until then. */
  #notBefore(host: Host, now: number): { from: number; why: (from: number) => string } {
    const again = this.#again.get(host.name);
    if (again !== undefined) return { from: again, why: tryAgain };
    return { from: host.opens?.(now) ?? now, why: (from) => `for its window, which opens ${formatClock(from)}` };
  }

  /** What it waits for; undefined where nothing is in its way but its window. */
  #hindrance(host: Host, running: readonly Host[], wave: number): string | undefined {
    const { concurrency, perJump, perGroup } = this.#limits;
    const own = this.#waves.get(host) ?? 0;
    if (own > wave) return `for wave ${own}`;
    const first = host.after?.find((name) => this.#states.has(name) && this.#states.get(name) !== 'done');
    if (first !== undefined) return `for ${first}`;
    const same = running.find(({ endpoint }) => endpoint !== undefined && endpoint === host.endpoint);
    if (same !== undefined) return `for ${same.name}, which is the same server (${same.endpoint})`;
    if (host.jump !== undefined && perJump !== undefined) {
      const through = running.filter(({ jump }) => jump === host.jump).length;
      if (through >= perJump) return `for its jump host ${host.jump} (${through} of ${perJump} at once)`;
    }
    for (const group of host.groups ?? []) {
      const limit = perGroup?.get(group);
      const members = running.filter(({ groups }) => groups?.includes(group) === true).length;
      if (limit !== undefined && members >= limit) return `for its group ${group} (${members} of ${limit} at once)`;
    }
    return running.length >= concurrency ? `for its turn (${concurrency} at once)` : undefined;
  }

  /** The first wave that is not over. */
  #wave(): number {
    const open = this.#hosts.filter(({ name }) => !OVER.has(this.#states.get(name)));
    return Math.min(...open.map((host) => this.#waves.get(host) ?? 0));
  }
}

function afterLost(name: string, failed: boolean): P2cError {
  const what = failed ? 'failed' : 'was not begun either';
  return new P2cError(`it was not begun: ${name}, which is to be done before it, ${what}`, {
    code: 'fleet.dependency',
    hint: "once that is mended, 'p2c migrate --resume' goes on with both",
  });
}

function tooMany(failures: number, resumable: boolean): P2cError {
  const others = resumable
    ? "'p2c migrate --resume' goes on with those that are not done"
    : "'p2c runs show --failed' names those that are not done, for '--limit @FILE'";
  return new P2cError(`it was not begun: ${formatCount(failures, 'host')} had failed before`, {
    code: 'fleet.given-up',
    hint: `${others}; --max-failures says how many may fail`,
  });
}

function tooLate(): P2cError {
  return new P2cError('it was not begun: its maintenance window closed before its turn came', {
    code: 'fleet.window',
    hint: "give it another 'window:' in the inventory, and 'p2c migrate --resume' goes on with it",
  });
}
