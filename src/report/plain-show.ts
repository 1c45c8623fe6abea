/** Stages as plain lines, for logs and pipes: one when a stage begins, one when it ends, and a word now and then between. */
import { printable } from '../printable.ts';
import { formatDuration } from './units.ts';

/** Often enough to see that it lives, seldom enough for a log. */
const TELL_EVERY_MS = 10_000;

export class PlainShow {
  readonly #write: (line: string) => void;
  readonly #prefix: string;

  /** @param prefix put before each line: the host's name in a batch. */
  constructor(write: (line: string) => void, prefix = '') {
    this.#write = write;
    this.#prefix = prefix;
  }

  async stage<Result>(
    title: string,
    work: (tell: (line: string) => void) => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result> {
    const started = performance.now();
    let told = started;
    this.note(`${title}...`);
    const tell = (line: string): void => {
      if (performance.now() - told < TELL_EVERY_MS) return;
      told = performance.now();
      this.note(`${title}: ${line}`);
    };
    try {
      const result = await work(tell);
      const took = formatDuration(performance.now() - started);
      this.note(`${title}: ${summary === undefined ? 'done' : summary(result)} (${took})`);
      return result;
    } catch (error) {
      // Why is told once, at the end.
      this.note(`${title}: failed (${formatDuration(performance.now() - started)})`);
      throw error;
    }
  }

  /** Its notes say it. */
  onTheWayOut<Result>(_title: string, work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  note(line: string): void {
    this.#write(`${new Date().toISOString().slice(11, 19)} ${this.#prefix}${printable(line, { newlines: true })}`);
  }
}
