/** A saved inspection, and how a server differs from it now. */
import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { messageOf, usageError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { InspectReport } from './inspect-report.ts';
import { type Statements, statementsOf } from './inspect-statements.ts';

const FORMAT = 'p2c-inspection-1';

/** What `--save` writes; the statements are what is read again. */
const savedSchema = z.object({
  format: z.literal(FORMAT),
  at: z.string(),
  target: z.string(),
  statements: z.record(z.string(), z.array(z.string())),
});
export type SavedInspection = z.output<typeof savedSchema>;

export function savedText(report: InspectReport): string {
  const { at, target } = report;
  return `${JSON.stringify({ format: FORMAT, at, target, statements: statementsOf(report.facts), report })}\n`;
}

/** @throws P2cError `inspect.saved` for a file that `--save` did not write. */
export function readSaved(file: string): SavedInspection {
  try {
    return savedSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw usageError(`${file} is no inspection that p2c saved`, {
      code: 'inspect.saved',
      hint: "'p2c inspect TARGET --save FILE' makes one",
      cause: new Error(messageOf(cause).slice(0, 500)),
    });
  }
}

export interface Difference {
  readonly heading: string;
  readonly gone: readonly string[];
  readonly come: readonly string[];
}

/** What was stated then and is not now, and the other way round, by heading. */
export function differences(then: Statements, now: Statements): Difference[] {
  const headings = [...new Set([...Object.keys(now), ...Object.keys(then)])];
  return headings.flatMap((heading) => {
    const [before, after] = [new Set(then[heading] ?? []), new Set(now[heading] ?? [])];
    const gone = [...before].filter((statement) => !after.has(statement));
    const come = [...after].filter((statement) => !before.has(statement));
    return gone.length + come.length === 0 ? [] : [{ heading, gone, come }];
  });
}

export function describeDifferences(saved: SavedInspection, found: readonly Difference[]): string {
  const since = printable(`${saved.target} at ${saved.at}`);
  if (found.length === 0) return `Nothing differs from ${since}`;
  const lines = found.flatMap(({ heading, gone, come }) => [
    printable(heading),
    ...gone.map((statement) => `  - ${printable(statement)}`),
    ...come.map((statement) => `  + ${printable(statement)}`),
  ]);
  return [`Differs from ${since}`, ...lines].join('\n');
}
