/** Adds a receipt up: paths by verdict, by rule, and the first of those that need a person's eye. */
import { printable, printablePath } from '../../printable.ts';
import { table } from '../table.ts';
import { formatCount } from '../units.ts';
import type { ReceiptHeader, ReceiptLine, Verdict } from './form.ts';
import { VERDICTS } from './form.ts';
import type { Receipt } from './read.ts';
import { BECAME_LEFT_OUT } from './reasons.ts';

export interface ReceiptSummary {
  readonly source: string;
  readonly captured: string;
  readonly paths: number;
  readonly verdicts: Record<Verdict, number>;
  readonly rules: readonly { readonly id: string; readonly reason: string; readonly paths: number }[];
  readonly fixes: Readonly<Record<string, number>>;
  readonly skipped: ReceiptHeader['skipped'];
  /** The first of the paths that moved or could not be read, or became left out while they were captured. */
  readonly blindSpots: readonly string[];
  /** How many there are. */
  readonly blind: number;
}

const NAMED = 20;

export async function summarise({ header, batches }: Receipt): Promise<ReceiptSummary> {
  const verdicts = { captured: 0, fixed: 0, 'left-out': 0, changed: 0, vanished: 0, unreadable: 0 };
  const byRule = new Map<string, number>();
  const fixes = new Map<string, number>();
  const blindSpots: string[] = [];
  let blind = 0;
  for await (const batch of batches) {
    for (const line of batch) {
      verdicts[line.verdict] += 1;
      if (line.rule !== undefined) byRule.set(line.rule, (byRule.get(line.rule) ?? 0) + 1);
      for (const fix of line.fixes ?? []) fixes.set(fix, (fixes.get(fix) ?? 0) + 1);
      if (!isBlindSpot(line)) continue;
      blind += 1;
      if (blindSpots.length < NAMED) blindSpots.push(printablePath(line.path));
    }
  }
  const reasons = new Map(header.rules.map(({ id, reason }) => [id, reason]));
  return {
    source: header.source,
    captured: header.captured,
    paths: Object.values(verdicts).reduce((sum, count) => sum + count, 0),
    verdicts,
    rules: [...byRule].map(([id, paths]) => ({ id, reason: reasons.get(id) ?? '', paths })),
    fixes: Object.fromEntries(fixes),
    skipped: header.skipped,
    blindSpots,
    blind,
  };
}

/** As `p2c migrate` counts them for its exit code. */
function isBlindSpot({ verdict, reason }: ReceiptLine): boolean {
  return verdict === 'changed' || verdict === 'unreadable' || reason === BECAME_LEFT_OUT;
}

export function describeSummary(summary: ReceiptSummary, width: number): string {
  const { verdicts, rules, fixes, skipped, blindSpots, blind } = summary;
  const count = (paths: number): string => paths.toLocaleString('en-US');
  const sections = [
    printable(`${summary.source}, captured ${summary.captured}: ${formatCount(summary.paths, 'path')}`),
    table(
      VERDICTS.map((verdict) => [count(verdicts[verdict]), verdict]),
      ['PATHS', 'VERDICT'],
      width,
    ),
  ];
  const fixed = Object.entries(fixes);
  if (fixed.length > 0)
    sections.push(
      table(
        fixed.map(([fix, paths]) => [count(paths), fix]),
        ['PATHS', 'FIX'],
        width,
      ),
    );
  if (rules.length > 0) {
    const rows = rules.map(({ id, reason, paths }) => [count(paths), id, reason]);
    sections.push(table(rows, ['PATHS', 'LEFT OUT BY', 'REASON'], width));
  }
  if (blindSpots.length > 0) {
    const more = blind - blindSpots.length;
    sections.push(
      [
        'Blind spots',
        ...blindSpots.map((path) => `  ${path}`),
        ...(more > 0 ? [`  and ${count(more)} more`] : []),
      ].join('\n'),
    );
  }
  const mounts = skipped.map(({ mountPoint, type, reason }) => [mountPoint, type, reason]);
  if (mounts.length > 0) sections.push(table(mounts, ['MOUNT NOT CAPTURED', 'TYPE', 'REASON'], width));
  return sections.join('\n\n');
}
