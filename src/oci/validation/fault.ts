/** What the oracle finds. It goes on after every fault, so that one run lists all of them. */

export interface Fault {
  /** Stable, machine-readable: `layer.duplicate`, `blob.digest`… */
  readonly code: string;
  /** The file, document or layer it is in. */
  readonly where: string;
  readonly message: string;
}

/** Of one kind; a hostile layer has a fault in every entry, and memory stays bounded. */
const KEPT_OF_A_KIND = 1000;

/** Collects faults. The first thousand of a kind are kept, all are counted. */
export class Faults {
  readonly #kept: Fault[] = [];
  readonly #counts = new Map<string, number>();

  add(code: string, where: string, message: string): void {
    const count = (this.#counts.get(code) ?? 0) + 1;
    this.#counts.set(code, count);
    if (count <= KEPT_OF_A_KIND) this.#kept.push({ code, where, message });
  }

  /** Those of another are from now on these, too. */
  take(other: Faults): void {
    const counts = new Map(this.#counts);
    for (const fault of other.#kept) this.add(fault.code, fault.where, fault.message);
    for (const [code, count] of other.#counts) this.#counts.set(code, (counts.get(code) ?? 0) + count);
  }

  /** Whether something was missing: it may have been taken away while it was looked at. */
  get ofMissing(): boolean {
    return this.#counts.has('blob.missing') || this.#counts.has('document.missing');
  }

  get kept(): readonly Fault[] {
    return this.#kept;
  }

  /** How many there are, those beyond the kept ones too. */
  get total(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }
}
