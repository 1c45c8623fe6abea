/** The line of a path that a layer has. */
import type { Changes } from '../../listing/changes.ts';
import type { Entry } from '../../listing/entry.ts';
import { classOf } from '../../listing/file-class.ts';
import type { ByteString } from '../../printable.ts';
import type { ReceiptLine } from './form.ts';
import type { Found } from './layers.ts';
import { GONE, NOT_SEEN_AGAIN, OTHER_NOW, READ_IN_PART } from './reasons.ts';

interface Circumstances {
  /** What was read of it before may be torn, or old. */
  readonly moved: boolean;
  /** It was not touched: what was wrong with it was no movement. */
  readonly stood: boolean;
  /** What is known against it. */
  readonly said: string | undefined;
}

/** @param seen as the listings have it. */
export function inImage(
  seen: Pick<Entry, 'path' | 'type'>,
  { layer, volume, captured }: Found,
  { moved, stood, said }: Circumstances,
): ReceiptLine {
  const { path } = seen;
  const { digest, hardLink, fixes } = captured;
  const type = captured.type ?? seen.type;
  const other = type !== seen.type ? OTHER_NOW : undefined;
  const blind = moved || said !== undefined || other !== undefined;
  const reason = stood && said?.startsWith('File shrank') === true ? `${READ_IN_PART}: ${said}` : (said ?? other);
  return {
    path,
    type,
    verdict: blind ? 'changed' : fixes.length > 0 ? 'fixed' : 'captured',
    layer,
    volume,
    class: blind ? classOf(path, type) : undefined,
    digest,
    hardLink,
    fixes: fixes.length === 0 ? undefined : fixes,
    reason,
  };
}

/** Why the last listing lacks what an earlier one had. */
export function whyMissing({ blindSpots }: Changes, path: ByteString): string {
  return blindSpots.covers(path) ? NOT_SEEN_AGAIN : GONE;
}
