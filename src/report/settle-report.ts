/** What moved while it was read, and what became of it. */
import { type ByteString, printablePath } from '../printable.ts';

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
  /** The topmost paths that were gone. */
  readonly goneTop: readonly ByteString[];
}

/** The same in the report, with what the listings tell of the paths that never came. */
export interface SettleSummary extends Omit<SettleReport, 'goneTop'> {
  /** Asked for, and gone before they were read. */
  readonly vanished: number;
  /** Asked for and still there, and yet they did not come. */
  readonly unreadable: number;
  readonly unreadablePaths: readonly string[];
}

/**
 * Tells what vanished from what could not be read.
 * @param missing printed paths that were asked for and did not come: the first of `count`.
 */
export function summariseSettling(report: SettleReport, missing: readonly string[], count: number): SettleSummary {
  const { goneTop, ...rest } = report;
  const gone = new Set<string>(goneTop.map(printablePath));
  const unreadablePaths = missing.filter((path) => !isGone(path, gone));
  // Beyond the names that were kept nobody can tell: those count as unreadable.
  const vanished = missing.length - unreadablePaths.length;
  return { ...rest, vanished, unreadable: count - vanished, unreadablePaths };
}

/** The path, or a directory above it. */
function isGone(path: string, gone: ReadonlySet<string>): boolean {
  for (let current = path; current !== ''; current = current.slice(0, current.lastIndexOf('/'))) {
    if (gone.has(current)) return true;
  }
  return false;
}
