/** listr2's list with lines above it that belong to no stage, and with an end at any moment. */
import {
  DefaultRenderer,
  LISTR_DEFAULT_RENDERER_STYLE,
  ListrDefaultRendererLogLevels,
  type ListrDefaultRendererTask,
  ListrLogger,
  ProcessOutput,
} from 'listr2';
import { printable } from '../printable.ts';
import type { Screen } from './screen.ts';

/** On standard error, so that results alone are on standard output. */
function stageLogger(): ListrLogger<ListrDefaultRendererLogLevels> {
  return new ListrLogger({
    useIcons: true,
    processOutput: new ProcessOutput(process.stderr, process.stderr),
    ...LISTR_DEFAULT_RENDERER_STYLE,
  });
}

interface Drawer {
  update(): void;
  end(): void;
}

/** Of one list: what is to be seen beside its stages. */
export class LiveList implements Screen {
  readonly #logger = stageLogger();
  readonly #notes: string[] = [];
  #drawer: Drawer | undefined;
  #over = false;

  get logger(): ListrLogger<ListrDefaultRendererLogLevels> {
    return this.#logger;
  }

  /** After the list's end, below it. */
  note(line: string): void {
    const shown = printable(line, { newlines: true });
    if (this.#over) process.stderr.write(`${shown}\n`);
    else this.#notes.push(shown);
    this.#drawer?.update();
  }

  /** What was still under way is shown as failed. */
  leave(): void {
    if (this.#drawer !== undefined) this.#drawer.end();
    else for (const line of this.#notes) process.stderr.write(`${line}\n`);
  }

  #draws(drawer: Drawer): void {
    this.#drawer = drawer;
  }

  #ended(): void {
    this.#over = true;
    this.#drawer = undefined;
  }

  /** The class that listr2 draws the list with. */
  renderer(): typeof DefaultRenderer {
    const notes = this.#notes;
    const failed = this.#logger.icon(ListrDefaultRendererLogLevels.FAILED);
    const draws = (drawer: Drawer): void => this.#draws(drawer);
    const over = (): void => this.#ended();
    return class extends DefaultRenderer {
      /** Standard error is the terminal; where results go is another matter. */
      static override nonTTY = true;
      #ended = false;

      override async render(): Promise<void> {
        await super.render();
        draws(this);
        this.update();
      }

      override update(): void {
        if (!this.#ended) super.update();
      }

      override end(): void {
        if (this.#ended) return;
        this.#ended = true;
        super.end();
        over();
      }

      /** In the end notes are whole lines, as they were told; until then they are broken where the terminal ends. */
      override create(options?: { tasks?: boolean; bottomBar?: boolean; prompt?: boolean }): string {
        const told = this.#ended ? notes : notes.flatMap((note) => this.format(note, '', 0));
        return [...told, super.create(options)].join('\n');
      }

      protected override style(task: ListrDefaultRendererTask, output?: boolean): string {
        const cut = this.#ended && output !== true && task.isStarted();
        return cut ? failed : super.style(task, output);
      }
    };
  }
}
