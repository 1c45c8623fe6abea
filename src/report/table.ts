/** Tables that fit the terminal: columns as wide as they need, the widest cut where the line would not fit. */
import { printable } from '../printable.ts';

const GAP = 2;
const NARROWEST = 8;

/** Rows under headings; cells are escaped. @param width columns of the terminal. */
export function table(rows: readonly (readonly string[])[], headings: readonly string[], width: number): string {
  const cells = [headings, ...rows].map((row) => headings.map((_, column) => printable(row[column] ?? '')));
  const widths = shrink(
    headings.map((_, column) => Math.max(...cells.map((row) => lengthOf(row[column] ?? '')))),
    width,
  );
  return cells
    .map((row) =>
      row
        .map((cell, column) => pad(cell, widths[column] ?? 0))
        .join(' '.repeat(GAP))
        .trimEnd(),
    )
    .join('\n');
}

/** Takes from the widest column until the line fits, or all are narrow. */
function shrink(widths: number[], width: number): number[] {
  const fitted = [...widths];
  const excess = (): number => fitted.reduce((sum, each) => sum + each, 0) + GAP * (fitted.length - 1) - width;
  while (excess() > 0) {
    const widest = Math.max(...fitted);
    if (widest <= NARROWEST) break;
    const column = fitted.indexOf(widest);
    const next = Math.max(NARROWEST, ...fitted.filter((_, other) => other !== column));
    fitted[column] = Math.max(NARROWEST, Math.min(widest - 1, Math.max(next, widest - excess())));
  }
  return fitted;
}

function pad(cell: string, width: number): string {
  const characters = Array.from(cell);
  if (characters.length > width) return `${characters.slice(0, width - 1).join('')}…`;
  return cell + ' '.repeat(width - characters.length);
}

function lengthOf(cell: string): number {
  return Array.from(cell).length;
}
