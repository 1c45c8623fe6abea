/** What a capture takes of disk and time, as far as an audit can tell beforehand. */
import { formatDuration } from './units.ts';

export interface CaptureNeeds {
  /** Bytes: where p2c runs, and on the source, on which nothing is written. */
  readonly disk: { readonly here: number; readonly source: number };
  /** How long the bytes are under way on usual links, where the source's disk is as fast. */
  readonly transfer: readonly {
    readonly linkBitsPerSecond: number;
    /** Of the capture, that such a link carries. */
    readonly bytesPerSecond: number;
    readonly milliseconds: number;
  }[];
}

const LINKS = [
  { name: '1 Gbit/s', bitsPerSecond: 1_000_000_000 },
  { name: '100 Mbit/s', bitsPerSecond: 100_000_000 },
] as const;
/** What ssh and TCP leave of a link. */
const CARRIED = 0.9;

/** Nothing is reckoned for compression, which an audit does not measure. @param tarBytes of all that is to be captured. */
export function captureNeeds(tarBytes: number): CaptureNeeds {
  return {
    disk: { here: tarBytes, source: 0 },
    transfer: LINKS.map(({ bitsPerSecond }) => {
      const bytesPerSecond = (bitsPerSecond * CARRIED) / 8;
      const milliseconds = Math.round((tarBytes * 1000) / bytesPerSecond);
      return { linkBitsPerSecond: bitsPerSecond, bytesPerSecond, milliseconds };
    }),
  };
}

/** A line for people, under one that says how many bytes there are. */
export function describeNeeds({ transfer }: CaptureNeeds): string {
  const times = transfer.map(({ linkBitsPerSecond, milliseconds }) => {
    const link = LINKS.find(({ bitsPerSecond }) => bitsPerSecond === linkBitsPerSecond);
    return `${formatDuration(milliseconds)} at ${link?.name ?? `${linkBitsPerSecond} bit/s`}`;
  });
  return `Needs: that much disk here, none on the server; ${times.join(', ')}, where its disk is as fast`;
}
