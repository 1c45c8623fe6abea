/** What came through the streams of a capture: counts for the report, and the names behind them, bounded. */
import { type ByteString, printablePath } from '../printable.ts';
import type { Anomaly, FilterCounts } from '../tar/filter.ts';
import type { TarMessageAccount } from '../tar/messages.ts';

export interface StreamAccount {
  readonly entries: number;
  readonly contentBytes: number;
  readonly bytes: number;
  readonly milliseconds: number;
  /** Entries that the source's tar sent and p2c left out. */
  readonly notAskedFor: number;
  readonly secondEntries: number;
  /** Paths that were asked for and did not come: vanished or unreadable. */
  readonly missing: number;
  readonly missingPaths: readonly string[];
  readonly changed: number;
  readonly changedPaths: readonly string[];
  readonly problems: readonly string[];
}

const KEPT = 1000;

/** Adds up over the parts of a capture. */
export class AnomalyAccount {
  readonly #missing: string[] = [];
  readonly #changed: string[] = [];
  readonly #problems: string[] = [];
  /** Paths whose changes mean nothing: directories where the kernel's own filesystems are mounted change all the time. */
  readonly #restless: ReadonlySet<string>;
  #counts: FilterCounts | undefined;
  #changedCount = 0;

  constructor(restless: ReadonlySet<string>) {
    this.#restless = restless;
  }

  anomaly(anomaly: Anomaly): void {
    if (anomaly.kind === 'not delivered' || anomaly.kind === 'hard link without its target') this.#miss(anomaly.path);
  }

  #miss(path: ByteString): void {
    if (this.#missing.length < KEPT) this.#missing.push(printablePath(path));
  }

  /** Closes one part's account. */
  part(counts: FilterCounts, messages: TarMessageAccount): void {
    const before = this.#counts;
    this.#counts = before === undefined ? { ...counts } : addCounts(before, counts);
    const meaningless = messages.changed.filter((path) => this.#restless.has(path));
    this.#changedCount += messages.changedCount - meaningless.length;
    keep(
      this.#changed,
      messages.changed.filter((path) => !this.#restless.has(path)),
    );
    keep(this.#problems, messages.problems);
  }

  close(milliseconds: number): StreamAccount {
    const counts = this.#counts;
    return {
      entries: counts?.entries ?? 0,
      contentBytes: counts?.contentBytes ?? 0,
      bytes: counts?.bytes ?? 0,
      milliseconds,
      notAskedFor: counts?.notAskedFor ?? 0,
      secondEntries: counts?.secondEntries ?? 0,
      missing: (counts?.notDelivered ?? 0) + (counts?.danglingLinks ?? 0),
      missingPaths: this.#missing,
      changed: this.#changedCount,
      changedPaths: this.#changed,
      problems: this.#problems,
    };
  }
}

function addCounts(a: FilterCounts, b: FilterCounts): FilterCounts {
  return {
    entries: a.entries + b.entries,
    contentBytes: a.contentBytes + b.contentBytes,
    bytes: a.bytes + b.bytes,
    notAskedFor: a.notAskedFor + b.notAskedFor,
    secondEntries: a.secondEntries + b.secondEntries,
    danglingLinks: a.danglingLinks + b.danglingLinks,
    notDelivered: a.notDelivered + b.notDelivered,
  };
}

function keep(into: string[], from: readonly string[]): void {
  for (const line of from) if (into.length < KEPT) into.push(line);
}

/** One account of several captures: the files, and what moved in them. */
export function addAccounts(accounts: readonly StreamAccount[]): StreamAccount {
  const sum = (value: (account: StreamAccount) => number): number =>
    accounts.reduce((total, account) => total + value(account), 0);
  const names = (value: (account: StreamAccount) => readonly string[]): string[] =>
    accounts.flatMap(value).slice(0, KEPT);
  return {
    entries: sum((account) => account.entries),
    contentBytes: sum((account) => account.contentBytes),
    bytes: sum((account) => account.bytes),
    milliseconds: sum((account) => account.milliseconds),
    notAskedFor: sum((account) => account.notAskedFor),
    secondEntries: sum((account) => account.secondEntries),
    missing: sum((account) => account.missing),
    missingPaths: names((account) => account.missingPaths),
    changed: sum((account) => account.changed),
    changedPaths: names((account) => account.changedPaths),
    problems: names((account) => account.problems),
  };
}
