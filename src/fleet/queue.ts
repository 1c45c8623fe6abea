/** Which hosts of a batch may begin now, and why the others wait. It starts nothing and knows no clock: it is asked. */
import { P2cError } from '../errors.ts';
import { formatCount } from '../report/units.ts';

export interface QueuedHost {
  readonly name: string;
  readonly groups?: readonly string[];
  /** Hosts that are to be done before it, where they are in the batch. */
  readonly after?: readonly string[];
  /** The jump host that it is reached through. */
  readonly jump?: string | undefined;
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

type State = 'waiting' | 'running' | 'done' | 'failed';

export class Queue<Host extends QueuedHost> {
  readonly #hosts: readonly Host[];
  readonly #limits: QueueLimits;
  readonly #states = new Map<string, State>();
  /** Number of the wave that a host is in, from 0. */
  readonly #waves: ReadonlyMap<Host, number>;

  constructor(hosts: readonly Host[], limits: QueueLimits) {
    this.#hosts = hosts;
    this.#limits = limits;
    for (const { name } of hosts) this.#states.set(name, 'waiting');
    this.#waves = wavesOf(dependenciesFirst(hosts), limits.serial ?? []);
  }

  /** Hosts that start are counted as running from now on, and those given up as failed. */
  decide(now: number): Decision<Host> {
    const start: Host[] = [];
    const waiting: { host: Host; reason: string }[] = [];
    const givenUp: { host: Host; error: P2cError }[] = [];
    let wake: number | undefined;
    const running = this.#hosts.filter(({ name }) => this.#states.get(name) === 'running');
    const wave = this.#wave();
    for (const host of this.#hosts) {
      if (this.#states.get(host.name) !== 'waiting') continue;
      const opens = host.opens?.(now) ?? now;
      const error = this.#lost(host) ?? (opens === Number.POSITIVE_INFINITY ? tooLate() : undefined);
      if (error !== undefined) {
        this.#states.set(host.name, 'failed');
        givenUp.push({ host, error });
        continue;
      }
      if (opens > now) wake = Math.min(wake ?? opens, opens);
      const reason =
        this.#hindrance(host, running, wave) ??
        (opens > now ? `for its window, which opens ${clock(opens)}` : undefined);
      if (reason !== undefined) waiting.push({ host, reason });
      else {
        this.#states.set(host.name, 'running');
        running.push(host);
        start.push(host);
      }
    }
    return { start, waiting, givenUp, wake };
  }

  ended(host: Host, outcome: 'done' | 'failed'): void {
    this.#states.set(host.name, outcome);
  }

  get over(): boolean {
    return [...this.#states.values()].every((state) => state === 'done' || state === 'failed');
  }

  #lost(host: Host): P2cError | undefined {
    const failed = host.after?.find((name) => this.#states.get(name) === 'failed');
    if (failed !== undefined) {
      return new P2cError(`it was not begun: ${failed}, which is to be done before it, failed`, {
        code: 'fleet.dependency',
        hint: "once that is mended, 'p2c migrate --resume' goes on with both",
      });
    }
    const { maxFailures } = this.#limits;
    const failures = [...this.#states.values()].filter((state) => state === 'failed').length;
    if (maxFailures === undefined || failures <= maxFailures) return undefined;
    return new P2cError(`it was not begun: ${formatCount(failures, 'host')} had failed before`, {
      code: 'fleet.given-up',
      hint: "'p2c migrate --resume' goes on with those that are not done; --max-failures says how many may fail",
    });
  }

  /** What it waits for; undefined where nothing is in its way but its window. */
  #hindrance(host: Host, running: readonly Host[], wave: number): string | undefined {
    const { concurrency, perJump, perGroup } = this.#limits;
    const own = this.#waves.get(host) ?? 0;
    if (own > wave) return `for wave ${own}`;
    const first = host.after?.find((name) => this.#states.has(name) && this.#states.get(name) !== 'done');
    if (first !== undefined) return `for ${first}`;
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
    const open = this.#hosts.filter(({ name }) => ['waiting', 'running'].includes(this.#states.get(name) ?? ''));
    return Math.min(...open.map((host) => this.#waves.get(host) ?? 0));
  }
}

/** In the hosts' order, but that none is before one that it comes after: a wave would wait for a later one, for ever. */
function dependenciesFirst<Host extends QueuedHost>(hosts: readonly Host[]): Host[] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const placed = new Set<Host>();
  const begun = new Set<Host>();
  const place = (host: Host): void => {
    if (begun.has(host)) return;
    begun.add(host);
    for (const name of host.after ?? []) {
      const first = byName.get(name);
      if (first !== undefined) place(first);
    }
    placed.add(host);
  };
  for (const host of hosts) place(host);
  return [...placed];
}

function wavesOf<Host>(hosts: readonly Host[], sizes: readonly number[]): Map<Host, number> {
  const waves = new Map<Host, number>();
  let left = [...hosts];
  for (let wave = 0; left.length > 0; wave += 1) {
    const size = sizes[Math.min(wave, sizes.length - 1)] ?? left.length;
    for (const host of left.slice(0, size)) waves.set(host, wave);
    left = left.slice(size);
  }
  return waves;
}

function tooLate(): P2cError {
  return new P2cError('it was not begun: its maintenance window closed before its turn came', {
    code: 'fleet.window',
    hint: "give it another 'window:' in the inventory, and 'p2c migrate --resume' goes on with it",
  });
}

/** Hour and minute here, with the date where that is not today's. */
function clock(at: number): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  const today = new Date().toDateString() === date.toDateString();
  return today
    ? `at ${time}`
    : `on ${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} at ${time}`;
}

/** @throws P2cError `fleet.circle`: hosts that wait for each other would wait for ever. */
export function requireNoCircle(hosts: readonly QueuedHost[]): void {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const safe = new Set<string>();
  const visit = (name: string, way: readonly string[]): void => {
    if (safe.has(name)) return;
    if (way.includes(name)) {
      const circle = [...way.slice(way.indexOf(name)), name].join(' after ');
      throw new P2cError(`hosts wait for each other: ${circle}`, {
        code: 'fleet.circle',
        hint: "take one of these 'after:' out of the inventory",
        exitCode: 2,
      });
    }
    for (const next of byName.get(name)?.after ?? []) if (byName.has(next)) visit(next, [...way, name]);
    safe.add(name);
  };
  for (const { name } of hosts) visit(name, []);
}

/**
 * `--serial` as Ansible has it: numbers of hosts, or shares of all of them; a share is at least one host.
 * @returns undefined where a word is neither.
 */
export function parseSerial(words: readonly string[], hosts: number): number[] | undefined {
  const sizes = words.map((word) => {
    const found = /^(?<count>\d{1,6})(?<share>%?)$/.exec(word);
    const count = Number(found?.groups?.['count'] ?? Number.NaN);
    return found?.groups?.['share'] === '%' ? Math.max(1, Math.floor((hosts * count) / 100)) : count;
  });
  return sizes.every((size) => Number.isInteger(size) && size >= 1) ? sizes : undefined;
}
