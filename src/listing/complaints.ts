/** The standard error of a find, line by line: of those that matter a bounded number is kept. */

/** Of one find, and of all of a listing. */
export const COMPLAINTS_KEPT = 1000;
/** A path has 4096 bytes at most on Linux, four characters each where they are escaped. */
const LONGEST_LINE = 32 * 1024;

/** Keeps one more than are kept elsewhere, which tells that there were more. */
export class Complaints {
  readonly #matters: (line: string) => boolean;
  readonly #decoder = new TextDecoder();
  readonly #lines: string[] = [];
  #rest = '';

  constructor(matters: (line: string) => boolean) {
    this.#matters = matters;
  }

  push(chunk: Buffer): void {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split('\n');
    this.#rest = (lines.pop() ?? '').slice(0, LONGEST_LINE);
    for (const line of lines) this.#line(line);
  }

  /** The lines that matter. */
  end(): readonly string[] {
    this.#line(this.#rest);
    return this.#lines;
  }

  #line(line: string): void {
    if (this.#lines.length <= COMPLAINTS_KEPT && this.#matters(line)) this.#lines.push(line);
  }
}
