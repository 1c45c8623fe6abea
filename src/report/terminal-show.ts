/**
 * Stages as a list that lives on the terminal (listr2), on standard error, so that results alone are on standard
 * output. The pipeline is ordinary code that calls `stage`; each call opens the gate of the next task of the list.
 */
import { Listr, ListrDefaultRendererLogLevels } from 'listr2';
import { printable } from '../printable.ts';
import { LiveList } from './live-list.ts';
import { drawing } from './screen.ts';

/** What this needs of listr2's task. */
interface Task {
  title: string;
  output: string;
  skip(): void;
}

/** Ten times a second is all that an eye sees. */
const TELL_EVERY_MS = 100;

interface Gate {
  readonly opened: Promise<(task: Task) => Promise<void>>;
  readonly open: (work: (task: Task) => Promise<void>) => void;
  used: boolean;
}

export class TerminalShow implements AsyncDisposable {
  readonly #gates = new Map<string, Gate>();
  readonly #titles: readonly string[];
  readonly #live = new LiveList();
  #list: Promise<unknown> | undefined;

  /** @param titles the stages that may come, in order; those that never do are left out at the end. */
  constructor(titles: readonly string[]) {
    this.#titles = titles;
    for (const title of titles) this.#gates.set(title, newGate());
  }

  /** A stage whose title was not announced may ask for a password: it runs without the list. */
  async stage<Result>(
    title: string,
    work: (tell: (line: string) => void) => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result> {
    const gate = this.#gates.get(title);
    if (gate === undefined) {
      const result = await work(() => {});
      const done = this.#live.logger.icon(ListrDefaultRendererLogLevels.COMPLETED);
      process.stderr.write(`${done} ${printable(`${title}: ${summary?.(result) ?? 'done'}`)}\n`);
      return result;
    }
    this.#list ??= this.#start();
    this.#passOver(title);
    return new Promise<Result>((resolve, reject) => {
      gate.used = true;
      gate.open(async (task) => {
        const teller = new Teller(task);
        try {
          const result = await work((line) => teller.tell(line));
          if (summary !== undefined) task.title = printable(`${title}: ${summary(result)}`);
          resolve(result);
        } catch (error) {
          reject(error);
          throw error;
        } finally {
          teller.end();
        }
      });
    });
  }

  /** A stage of the list that did not come yet, or nothing that the list shows. */
  async onTheWayOut<Result>(
    title: string,
    work: () => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result> {
    const gate = this.#gates.get(title);
    return gate === undefined || gate.used ? work() : this.stage(title, work, summary);
  }

  note(line: string): void {
    if (this.#list === undefined) process.stderr.write(`${printable(line, { newlines: true })}\n`);
    else this.#live.note(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const gate of this.#gates.values()) if (!gate.used) gate.open(skip);
    await this.#list;
    this.#list = undefined;
  }

  /** Announced stages before this one that did not come will not come any more. */
  #passOver(title: string): void {
    for (const earlier of this.#titles.slice(0, this.#titles.indexOf(title))) {
      const gate = this.#gates.get(earlier);
      if (gate === undefined || gate.used) continue;
      gate.used = true;
      gate.open(skip);
    }
  }

  async #start(): Promise<void> {
    const takeBack = drawing(this.#live);
    const tasks = this.#titles.map((title) => ({
      title,
      task: async (_context: unknown, task: Task): Promise<void> => {
        const work = await this.#gates.get(title)?.opened;
        await work?.(task);
      },
    }));
    const list = new Listr(tasks, {
      concurrent: false,
      // A pipeline may go on after a stage that failed: the image is made although an application did not start.
      exitOnError: false,
      // The command line handles signals: applications have to be started again first.
      registerSignalListeners: false,
      renderer: this.#live.renderer(),
      rendererOptions: { logger: this.#live.logger, collapseErrors: true, showErrorMessage: false },
    });
    // The error reaches the caller of the stage; here it would be told twice.
    await list.run().catch(() => {});
    takeBack();
  }
}

async function skip(task: Task): Promise<void> {
  task.skip();
}

function newGate(): Gate {
  let open: Gate['open'] = () => {};
  const opened = new Promise<(task: Task) => Promise<void>>((resolve) => {
    open = resolve;
  });
  return { opened, open, used: false };
}

/** Shows a stage's lines under its title, not too many a second. What a stage tells after its end is not shown. */
class Teller {
  #task: Task | undefined;
  #told = 0;

  constructor(task: Task) {
    this.#task = task;
  }

  tell(line: string): void {
    if (this.#task === undefined || performance.now() - this.#told < TELL_EVERY_MS) return;
    this.#told = performance.now();
    this.#task.output = printable(line);
  }

  end(): void {
    this.#task = undefined;
  }
}
