/** A show whose stages and lines are also told as events. */
import type { HostHappening } from './memory.ts';
import type { Share, Show, Tell } from './stage.ts';

/** Often enough for a person who watches, seldom enough for a thousand hosts. */
const TELL_EVERY_MS = 500;

export class RecordingShow implements Show {
  readonly #inner: Show;
  readonly #record: (happening: HostHappening) => void;
  readonly #tell: (happening: HostHappening) => void;

  /** @param record for what is kept. @param tell for what only those hear who listen now. */
  constructor(inner: Show, record: (happening: HostHappening) => void, tell: (happening: HostHappening) => void) {
    this.#inner = inner;
    this.#record = record;
    this.#tell = tell;
  }

  async stage<Result>(
    title: string,
    work: (tell: Tell) => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result> {
    const began = performance.now();
    const ended = (outcome: 'done' | 'failed', text: string): void => {
      const milliseconds = performance.now() - began;
      this.#record({ event: 'stage-ended', stage: title, outcome, milliseconds, summary: text });
    };
    this.#record({ event: 'stage-started', stage: title });
    try {
      const result = await this.#inner.stage(title, (tell) => work(this.#both(title, tell)), summary);
      ended('done', summary?.(result) ?? '');
      return result;
    } catch (error) {
      ended('failed', '');
      throw error;
    }
  }

  onTheWayOut<Result>(
    title: string,
    work: () => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result> {
    return this.#inner.onTheWayOut(title, work, summary);
  }

  note(line: string): void {
    this.#inner.note(line);
    this.#record({ event: 'note', line });
  }

  #both(stage: string, inner: Tell): Tell {
    let told = 0;
    return (line: string, share?: Share) => {
      inner(line, share);
      if (performance.now() - told < TELL_EVERY_MS) return;
      told = performance.now();
      this.#tell({ event: 'progress', stage, line, ...share });
    };
  }
}
