/** Holds back what comes before a line that says that the script runs: a greeting, a prompt, a lecture, a refusal. */

export const LONGEST = 64 * 1024;

export class AfterMarker {
  /** What came before the marker, of which the end is kept. */
  before: Buffer = Buffer.alloc(0);
  found = false;
  readonly #marker: Buffer;

  constructor(marker: string) {
    this.#marker = Buffer.from(`${marker}\n`);
  }

  /** True where so much came that the marker is not to be expected any more. */
  get endless(): boolean {
    return !this.found && this.before.length === LONGEST;
  }

  /** @returns what comes after the marker. */
  push(chunk: Buffer): Buffer {
    if (this.found) return chunk;
    const all = Buffer.concat([this.before, chunk]);
    const at = all.indexOf(this.#marker);
    this.found = at >= 0;
    this.before = this.found ? all.subarray(0, at) : all.subarray(-LONGEST);
    return this.found ? all.subarray(at + this.#marker.length) : Buffer.alloc(0);
  }
}
