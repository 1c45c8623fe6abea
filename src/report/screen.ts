/**
 * What is drawn on the terminal just now. Whoever has a line for a person meanwhile, an interruption say, goes through
 * here: written past what draws, it would be held back, or wiped by the next drawing.
 */

export interface Screen {
  /** Shows a line at once, beside what is drawn. */
  note(line: string): void;
  /** Draws for the last time and gives the terminal back as it was: the process ends at once. */
  leave(): void;
}

let drawn: Screen | undefined;

/** @returns a function that takes it back. */
export function drawing(screen: Screen): () => void {
  drawn = screen;
  return () => {
    if (drawn === screen) drawn = undefined;
  };
}

/** Writes a line to standard error, or shows it beside what is drawn there. */
export function say(line: string): void {
  if (drawn === undefined) process.stderr.write(`${line}\n`);
  else drawn.note(line);
}

/** Ends what is drawn, so that what is written to standard error afterwards is seen. */
export function leaveScreen(): void {
  const screen = drawn;
  drawn = undefined;
  screen?.leave();
}
