/** Chooses how a pipeline shows itself: a live list on a terminal, plain lines elsewhere, notes alone under `--json`. */
import { type Show, SILENT } from '../pipeline/stage.ts';
import { printable } from '../printable.ts';
import { PlainShow } from '../report/plain-show.ts';
import { say } from '../report/screen.ts';

/** A host key that was just taken, an application that was started again: no field of the result says so. */
const NOTES: Show = {
  ...SILENT,
  note: (line) => say(`p2c: ${printable(line, { newlines: true })}`),
};

export async function withShow<Result>(
  options: { readonly json: boolean },
  titles: readonly string[],
  work: (show: Show) => Promise<Result>,
): Promise<Result> {
  if (options.json) return work(NOTES);
  if (!process.stderr.isTTY) return work(new PlainShow((line) => process.stderr.write(`${line}\n`)));
  const { TerminalShow } = await import('../report/terminal-show.ts');
  await using show = new TerminalShow(titles);
  return await work(show);
}

/** Columns that a table of results may have: as many as it needs where it goes into a file or to a program. */
export function tableWidth(): number {
  return process.stdout.columns ?? Number.POSITIVE_INFINITY;
}

/** Columns of the terminal that results are printed on. */
export function terminalWidth(): number {
  return process.stdout.columns ?? 120;
}
