/** Which applications are stopped just now, and who starts them if p2c does not: what a run leaves that ends at once. */

/** What is known of the lease. */
interface Watched {
  /** Milliseconds until the watchdog may act. */
  readonly remainingMs: number;
}

export class Owed {
  readonly #names = new Set<string>();
  #started = false;
  #lease: Watched | undefined;

  /** Names of those whose stop began and whose start is not done, in the order of the stop. */
  get names(): string[] {
    return [...this.#names];
  }

  /** True once all runs that was stopped. */
  get settled(): boolean {
    return this.#started && this.#names.size === 0;
  }

  /** Milliseconds until the watchdog starts them; undefined where it is gone, and nobody does. */
  get remainingMs(): number | undefined {
    return this.#lease?.remainingMs;
  }

  watchedBy(lease: Watched): void {
    this.#lease = lease;
  }

  stopping(name: string): void {
    this.#names.add(name);
  }

  started(names: readonly string[]): void {
    for (const name of names) this.#started = this.#names.delete(name) || this.#started;
  }

  /** The watchdog went, and they stay down. */
  leftStopped(): void {
    this.#lease = undefined;
  }
}
