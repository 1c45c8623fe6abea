/** What moved while it was read, and what became of it. */
import type { WrittenReceipt } from './receipt/write.ts';

export interface SettleReport {
  /** Delta layers' rounds. */
  readonly rounds: number;
  /** Paths that came again because they were new or differed. */
  readonly changed: number;
  /** Paths that were gone, and are hidden. */
  readonly removed: number;
  /** Paths that moved still when the rounds were used up: the image may hold them torn. */
  readonly stillMoving: number;
  readonly stillMovingPaths: readonly string[];
}

/** The same in the report, with what the receipt tells of the paths that never came. */
export interface SettleSummary extends SettleReport {
  /** There at the first look, and neither there at the last nor in the image. */
  readonly vanished: number;
  /** In the image as they were read: they moved on or went, or the source's tar could not read all, or the newest, of them. */
  readonly torn: number;
  /** Asked for and still there, and yet they did not come. */
  readonly unreadable: number;
  readonly unreadablePaths: readonly string[];
  /** Captured at first, and left out in the end: they became what a rule leaves out. */
  readonly leftOutLate: number;
  readonly leftOutLatePaths: readonly string[];
}

export function summariseSettling(
  report: SettleReport,
  { counts, unreadable, leftOutLate }: WrittenReceipt,
): SettleSummary {
  const { vanished, changed: torn } = counts;
  return {
    ...report,
    vanished,
    torn,
    unreadable: counts.unreadable,
    unreadablePaths: unreadable,
    leftOutLate: leftOutLate.count,
    leftOutLatePaths: leftOutLate.examples,
  };
}
