/** What a server might answer, for the parsers of an inspection. */
import { Answers, safeLines } from '../../src/source/inspection/sections.ts';

/** Section → its text, as bytes come (`latin1`) and as they are made safe. `cut`: the sections that were cut off. */
export function answers(texts: Readonly<Record<string, string>>, cut: readonly string[] = []): Answers {
  const safe = Object.entries(texts).map(([name, text]): [string, string] => [name, safeLines(text)]);
  return new Answers(new Map(safe), new Set(cut));
}
