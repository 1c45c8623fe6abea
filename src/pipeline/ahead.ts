/** Work that begins before its stage's turn, so that what needs nothing of one another is waited for together. */
import type { Tell } from './stage.ts';

export class Ahead<Result> implements AsyncDisposable {
  readonly #abort = new AbortController();
  readonly #result: Promise<Result>;
  /** Says again what was said last. */
  #repeat: (tell: Tell) => void = () => {};
  #tell: Tell = (line, share) => {
    this.#repeat = (tell) => tell(line, share);
  };

  /** @param signal ends the work, as the end of this object does. */
  constructor(signal: AbortSignal | undefined, work: (tell: Tell, signal: AbortSignal) => Promise<Result>) {
    const ends = this.#abort.signal;
    this.#result = work(
      (line, share) => this.#tell(line, share),
      signal === undefined ? ends : AbortSignal.any([signal, ends]),
    );
    // Whoever fails first ends the run, and this may be waited for never.
    this.#result.catch(() => {});
  }

  /** As the work of its stage: what it says from now on, and last said, is shown there. @throws what the work throws. */
  shown(tell: Tell): Promise<Result> {
    this.#tell = tell;
    this.#repeat(tell);
    return this.#result;
  }

  /** The work has ended after it, whichever way. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.#result.catch(() => {});
  }
}
