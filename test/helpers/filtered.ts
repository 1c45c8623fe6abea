/** A stream put through the filter. */
import { comparePaths } from '../../src/listing/path.ts';
import type { ByteString } from '../../src/printable.ts';
import type { Anomaly } from '../../src/tar/anomaly.ts';
import { type Delivered, type FilterOptions, TarFilter } from '../../src/tar/filter.ts';

export interface Filtered {
  readonly bytes: Buffer;
  readonly anomalies: Anomaly[];
  readonly delivered: Delivered[];
  readonly again: ByteString[];
  readonly filter: TarFilter;
}

/** Wants just `paths`; `chunks` are lengths that are used in turn. */
export function filtered(
  stream: Buffer,
  paths: readonly string[],
  chunks: readonly number[] = [stream.length],
  timeless: readonly string[] = [],
  more: FilterOptions = {},
): Filtered {
  const wanted = paths
    .map((path) => ({ path: path as ByteString, hardLinked: true }))
    .sort((a, b) => comparePaths(a.path, b.path))
    .values();
  const anomalies: Anomaly[] = [];
  const delivered: Delivered[] = [];
  const again: ByteString[] = [];
  const filter = new TarFilter(
    { next: () => wanted.next().value },
    {
      timeless: new Set(timeless),
      onAnomaly: (anomaly) => anomalies.push(anomaly),
      onDelivered: (entry) => delivered.push(entry),
      onAgain: (path) => again.push(path),
      ...more,
    },
  );
  const out: Buffer[] = [];
  for (let from = 0, i = 0; from < stream.length; i += 1) {
    const length = Math.max(1, chunks[i % chunks.length] ?? 1);
    out.push(...filter.push(stream.subarray(from, from + length)));
    from += length;
  }
  out.push(...filter.end());
  return { bytes: Buffer.concat(out), anomalies, delivered, again, filter };
}
