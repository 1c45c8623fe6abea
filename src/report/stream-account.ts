/** What came through the streams of a capture: counts for the report, and the names behind them, bounded. */
import { type ByteString, printablePath } from '../printable.ts';
import { ANOMALY_KINDS, type Anomaly, type AnomalyCounts, type AnomalyKind } from '../tar/anomaly.ts';
import type { FilterCounts } from '../tar/filter.ts';
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
  /** What the filter told of, entries by kind: fixes, what was noted, and losses. */
  readonly anomalies: AnomalyCounts;
}

const KEPT = 1000;
export const KINDS = Object.keys(ANOMALY_KINDS).filter((kind): kind is AnomalyKind => kind in ANOMALY_KINDS);

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
    const weight = ANOMALY_KINDS[anomaly.kind];
    if (weight === 'lost') this.#miss(anomaly.path);
    if (weight === 'attribute lost') keep(this.#problems, [`${printablePath(anomaly.path)}: ${anomaly.kind}`]);
  }

  /** Extended attributes of files nobody can name. */
  attributes(problems: readonly string[]): void {
    if (problems.length === 0) return;
    keep(this.#problems, problems);
    const counts = { entries: 0, contentBytes: 0, bytes: 0, anomalies: { 'attributes unreadable': problems.length } };
    this.#counts = this.#counts === undefined ? counts : addCounts(this.#counts, counts);
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
      notAskedFor: counts?.anomalies['not asked for'] ?? 0,
      secondEntries: counts?.anomalies['second entry'] ?? 0,
      missing: total(counts?.anomalies ?? {}, 'lost'),
      missingPaths: this.#missing,
      changed: this.#changedCount,
      changedPaths: this.#changed,
      problems: this.#problems,
      anomalies: counts?.anomalies ?? {},
    };
  }
}

function addCounts(a: FilterCounts, b: FilterCounts): FilterCounts {
  return {
    entries: a.entries + b.entries,
    contentBytes: a.contentBytes + b.contentBytes,
    bytes: a.bytes + b.bytes,
    anomalies: addKinds([a.anomalies, b.anomalies]),
  };
}

function addKinds(counts: readonly AnomalyCounts[]): AnomalyCounts {
  const sum: AnomalyCounts = {};
  for (const kind of KINDS) {
    const total = counts.reduce((before, each) => before + (each[kind] ?? 0), 0);
    if (total > 0) sum[kind] = total;
  }
  return sum;
}

/** Files that are in the image without all of their attributes. */
export function attributesLost({ anomalies }: StreamAccount): number {
  return total(anomalies, 'attribute lost');
}

function total(counts: AnomalyCounts, weight: string): number {
  return KINDS.filter((kind) => ANOMALY_KINDS[kind] === weight).reduce((sum, kind) => sum + (counts[kind] ?? 0), 0);
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
    anomalies: addKinds(accounts.map((account) => account.anomalies)),
  };
}
