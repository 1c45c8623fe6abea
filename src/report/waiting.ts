/** Why hosts of a batch wait, as plain lines: one for each change of a host's reason, and one for many that share it. */
import { printable } from '../printable.ts';
import type { RunEvent } from './events/schema.ts';
import { formatClock, namesOf } from './units.ts';

/** The words for a wait until a moment at which a host is begun anew. */
export function tryAgain(at: number): string {
  return `until it is tried again ${formatClock(at, 'second')}`;
}

/** Hosts that begin to wait for one thing at one moment, as all of a wave do, are named one by one up to this many. */
const NAMED = 3;

export class PlainWaits {
  readonly #write: (line: string) => void;
  /** Hosts by their reason: those that are told at one moment are shown together. */
  #untold = new Map<string, string[]>();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  /** Listens to the events of a run. */
  add(event: RunEvent): void {
    if (event.event === 'host-waiting') this.#tell(event.host, event.reason);
    if (event.event !== 'host-retrying') return;
    const at = Date.parse(event.time) + event.waitMs;
    this.#line(`${event.host}: ${event.error.message}; it is tried again ${formatClock(at, 'second')}`);
  }

  #tell(host: string, reason: string): void {
    if (this.#untold.size === 0) queueMicrotask(() => this.#flush());
    this.#untold.set(reason, [...(this.#untold.get(reason) ?? []), host]);
  }

  #flush(): void {
    const untold = this.#untold;
    this.#untold = new Map();
    for (const [reason, hosts] of untold) {
      if (hosts.length <= NAMED) for (const host of hosts) this.#line(`${host}: waits ${reason}`);
      else this.#line(`${namesOf(hosts)}: each waits ${reason}`);
    }
  }

  #line(text: string): void {
    this.#write(`${new Date().toISOString().slice(11, 19)} ${printable(text, { newlines: true })}`);
  }
}
