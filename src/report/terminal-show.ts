/**
 * Stages as a list that lives on the terminal (listr2), on standard error, so that results alone are on standard
 * output. The pipeline is ordinary code that calls `stage`; each call opens the gate of the next task of the list.
 */
import {
  type DefaultRenderer,
  LISTR_DEFAULT_RENDERER_STYLE,
  Listr,
  ListrLogger,
  type ListrTaskWrapper,
  ProcessOutput,
  type SimpleRenderer,
} from 'listr2';
import { printable } from '../printable.ts';

type Task = ListrTaskWrapper<unknown, typeof DefaultRenderer, typeof SimpleRenderer>;

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
  readonly #notes: string[] = [];
  #list: Promise<unknown> | undefined;
  /** Of the stage under way. */
  #teller: Teller | undefined;

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
      this.note(`${title}: ${summary?.(result) ?? 'done'}`);
      return result;
    }
    this.#list ??= this.#start();
    this.#passOver(title);
    return new Promise<Result>((resolve, reject) => {
      gate.used = true;
      gate.open(async (task) => {
        const teller = new Teller(task);
        this.#teller = teller;
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

  /** While the list is live, notes are shown under the stage, and told at the end: lines written into it would be torn. */
  note(line: string): void {
    if (this.#list === undefined) process.stderr.write(`${printable(line, { newlines: true })}\n`);
    else {
      this.#notes.push(line);
      this.#teller?.tellNow(line);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const gate of this.#gates.values()) if (!gate.used) gate.open(skip);
    await this.#list;
    this.#list = undefined;
    for (const line of this.#notes) this.note(line);
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
    const logger = new ListrLogger({
      useIcons: true,
      processOutput: new ProcessOutput(process.stderr, process.stderr),
      ...LISTR_DEFAULT_RENDERER_STYLE,
    });
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
      rendererOptions: { logger, collapseErrors: true, showErrorMessage: false },
    });
    // The error reaches the caller of the stage; here it would be told twice.
    await list.run().catch(() => {});
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
    if (performance.now() - this.#told >= TELL_EVERY_MS) this.tellNow(line);
  }

  tellNow(line: string): void {
    if (this.#task === undefined) return;
    this.#told = performance.now();
    this.#task.output = printable(line);
  }

  end(): void {
    this.#task = undefined;
  }
}
