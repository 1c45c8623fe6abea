/** Follows a run while it lives: what is known of each host at any moment, and the metrics file that tells it. */
import type { Run } from '../fleet/run.ts';
import type { RunEvent } from '../report/events/schema.ts';
import { writeMetrics } from '../report/metrics.ts';
import { cutOff, type HostRecord, happen, newHost, type PlannedHost } from '../report/run-record.ts';

/** A collector reads every 15 seconds or so. */
const METRICS_EVERY_MS = 5000;

export interface Watched {
  readonly verb: string;
  readonly hosts: readonly PlannedHost[];
}

export class RunWatch {
  readonly verb: string;
  readonly began = Date.now();
  readonly hosts: readonly HostRecord[];
  readonly #byName: ReadonlyMap<string, HostRecord>;
  readonly #metricsFile: string | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(run: Run, { verb, hosts }: Watched, metricsFile: string | undefined) {
    this.verb = verb;
    this.hosts = hosts.map(newHost);
    this.#byName = new Map(this.hosts.map((host) => [host.name, host]));
    this.#metricsFile = metricsFile;
    run.listen((event) => this.#add(event));
    if (metricsFile === undefined) return;
    this.#write();
    this.#timer = setInterval(() => this.#write(), METRICS_EVERY_MS);
  }

  /** Writes the last metrics. @throws P2cError `file.write`. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.#writing.catch(() => {});
    if (this.#metricsFile === undefined) return;
    for (const host of this.hosts) cutOff(host, Date.now());
    await writeMetrics(this.#metricsFile, this);
  }

  #add(event: RunEvent): void {
    if (!('host' in event) || event.host === undefined) return;
    const host = this.#byName.get(event.host);
    if (host === undefined) return;
    if (event.event === 'host-kept') host.state = 'done';
    happen(host, event, Date.parse(event.time));
  }

  /** One after the other: two at once would write the same temporary file. */
  #write(): void {
    const file = this.#metricsFile;
    if (file === undefined) return;
    this.#writing = this.#writing.then(() => writeMetrics(file, this)).catch(() => {});
  }
}
