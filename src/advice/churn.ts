/** Where a server is being written to: what a capture will find changed, and what a volume is for. */
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';

export interface Churn {
  readonly folder: string;
  /** Files in it, not below it, that are open for writing. */
  readonly files: number;
  /** Names of the processes that write. */
  readonly by: readonly string[];
}

/** Folders with files open for writing, those with most first; what lives in memory is not captured and not told. */
export function churnOf({ openFiles, processes }: Inspection): Churn[] {
  const names = new Map(valueOr(processes, []).map(({ pid, name }) => [pid, name]));
  const folders = new Map<string, { files: number; by: Set<string> }>();
  for (const { path, pids } of valueOr(openFiles, { written: [] }).written) {
    if (/^\/(?:run|var\/run|dev|proc|sys)\//.test(path)) continue;
    const folder = path.slice(0, path.lastIndexOf('/')) || '/';
    const seen = folders.get(folder) ?? { files: 0, by: new Set<string>() };
    seen.files += 1;
    for (const pid of pids) seen.by.add(names.get(pid) ?? String(pid));
    folders.set(folder, seen);
  }
  return [...folders]
    .map(([folder, { files, by }]) => ({ folder, files, by: [...by] }))
    .sort((a, b) => b.files - a.files || (a.folder < b.folder ? -1 : 1));
}
