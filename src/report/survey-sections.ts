/** The parts of an audit's page that tell where the bytes are and what is hard to carry. */
import type { SurveyReport } from './survey-report.ts';
import { table } from './table.ts';
import { formatBytes, formatCount } from './units.ts';

const ROWS = 10;

/** Files that no rule of anybody's leaves out: each is named, for somebody may want it. */
export function describeHollow({ excluded }: SurveyReport): string[] {
  const hollow = excluded.filter(({ rule }) => rule === 'sparse' || rule === 'recreated-empty');
  return hollow.flatMap(({ rule, entries, examples }) => [
    ...examples.map((path) => `  ${rule}: ${path}`),
    ...(entries > examples.length
      ? [`  ${rule}: and ${(entries - examples.length).toLocaleString('en-US')} more`]
      : []),
  ]);
}

export function describeUnused(report: SurveyReport): string[] {
  return unusedLines(report).map((line) => `  ${line}`);
}

/** A profile speaks of many servers, and of this one not all of it need be true: only --json has its rules. */
export function unusedLines({ unusedRules }: SurveyReport): string[] {
  const written = unusedRules.filter((rule) => !rule.startsWith('profile:'));
  return written.map((rule) => `${rule} matches nothing: is it what you mean?`);
}

export function describeAnatomy({ anatomy }: SurveyReport, width: number): string[] {
  const count = (entries: number): string => entries.toLocaleString('en-US');
  const tops = anatomy.tops
    .slice(0, ROWS)
    .map(({ path, entries, bytes }) => [formatBytes(bytes), count(entries), path]);
  const largest = anatomy.largest.slice(0, ROWS).map(({ path, bytes }) => [formatBytes(bytes), path]);
  const hazards = anatomy.hazards.map(({ kind, entries, examples }) => [count(entries), kind, examples[0] ?? '']);
  return [
    'Where the bytes are',
    ...table(tops, ['BYTES', 'ENTRIES', 'DIRECTORY'], width).split('\n'),
    '',
    'Largest files',
    ...table(largest, ['BYTES', 'FILE'], width).split('\n'),
    ...(hazards.length === 0
      ? []
      : ['', 'Worth knowing', ...table(hazards, ['ENTRIES', 'WHAT', 'FOR EXAMPLE'], width).split('\n')]),
  ];
}

export function describeLosses({ unanchored }: SurveyReport): string[] {
  if (unanchored.length === 0) return [];
  return [
    "The usual tar's unanchored excludes would also lose, and p2c does not:",
    ...unanchored.map(
      ({ exclude, entries, examples }) =>
        `  --exclude ${exclude}: ${formatCount(entries, 'entry', 'entries')}, ${examples.slice(0, 3).join(' ')}`,
    ),
    '',
  ];
}

export function describeWhy({ why }: SurveyReport): string[] {
  return why.map(
    ({ path, verdict, rule, reason }) => `${path}: ${verdict}${rule === null ? '' : ` by ${rule}`}: ${reason}`,
  );
}
