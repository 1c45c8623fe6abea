/** The page that `p2c doctor` prints. */
import { printable } from '../printable.ts';
import type { DoctorReport } from './doctor-report.ts';
import { table } from './table.ts';
import { formatCount } from './units.ts';

/** @param width columns of the terminal. What is well with programs is one line: only what lacks is named. */
export function describeDoctor(report: DoctorReport, width: number): string {
  const shown = report.checks.filter(({ id, state }) => !(id.startsWith('program ') && state === 'ok'));
  const rows = shown.map(({ id, state, detail }) => [id, state, detail]);
  const remedies = report.checks.filter(({ remedy }) => remedy !== null);
  const installed = report.checks.length - shown.length;
  return [
    ...table(rows, ['WHAT', 'STATE', 'FOUND'], width).split('\n'),
    `and ${installed} programs that p2c calls are installed`,
    '',
    ...(remedies.length === 0
      ? []
      : ['To have what is lacking', ...remedies.map(({ id, remedy }) => `  ${id}: ${printable(remedy ?? '')}`), '']),
    ...(report.strays.length === 0
      ? []
      : ['Left by crashes', ...report.strays.map(strayLine), "  'p2c doctor --clean' removes it", '']),
    report.canRun
      ? `This machine runs containers with: ${report.engines.join(', ')}`
      : 'This machine cannot run containers: see what is missing above. Images can be made all the same.',
  ].join('\n');
}

type StrayRecord = DoctorReport['strays'][number];

function strayLine({ kind, what, of }: StrayRecord): string {
  return `  ${kind} ${printable(what)}, of ${printable(of)}`;
}

/** What `p2c doctor --clean` prints. */
export function describeRemoved(removed: readonly StrayRecord[]): string {
  return [...removed.map(strayLine), `removed ${formatCount(removed.length, 'stray')}`].join('\n');
}
