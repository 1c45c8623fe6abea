/** How a pipeline tells what it does. The pipeline knows this interface; terminal, plain lines and fleets implement it. */

/** How far a stage is, in bytes. */
export interface Share {
  readonly done: number;
  readonly total?: number;
}

/** Called with a line about the stage under way, and how far it is where that is known; may be called often. */
export type Tell = (line: string, share?: Share) => void;

export interface Show {
  /**
   * Runs one stage and shows it. What the stage returns is handed on; `summary` words it once it is done.
   * A stage that throws is shown as failed and the error passes through.
   */
  stage<Result>(
    title: string,
    work: (tell: Tell) => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result>;
  /**
   * What a run that failed still does before it ends. Only a list has a place for it, that of the stage with this title;
   * lines and events have told of it by notes.
   */
  onTheWayOut<Result>(
    title: string,
    work: () => Promise<Result>,
    summary?: (result: Result) => string,
  ): Promise<Result>;
  /** A line that belongs to no stage: a warning, an application that was started again. */
  note(line: string): void;
}

/** Shows nothing: for a batch whose events are told elsewhere. */
export const SILENT: Show = {
  stage: (_title, work) => work(() => {}),
  onTheWayOut: (_title, work) => work(),
  note: () => {},
};
