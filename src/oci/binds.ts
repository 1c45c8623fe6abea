/** Bind mounts of the server whose files an image has where they lie: the label that says where these are. */
import { posix } from 'node:path';
import * as z from 'zod';
import { type ByteString, byteString, byteStringFromText, bytesOf } from '../printable.ts';
import type { Image } from './image.ts';
import { SYSTEM_LABELS } from './system-labels.ts';

export interface Bind {
  /** Where it was mounted: the image has an empty folder there. */
  readonly place: ByteString;
  readonly original: ByteString;
}

/** A server of containers has some hundreds; a label should not grow without end. */
const MOST_BINDS = 1000;

const pathSchema = z
  .union([
    z.string().transform((text) => byteStringFromText(text)),
    // A name that is no UTF-8.
    z.object({ base64: z.base64() }).transform(({ base64 }) => byteString(Buffer.from(base64, 'base64'))),
  ])
  .refine(isPlace);
const bindsSchema = z.array(z.object({ place: pathSchema, original: pathSchema }));

/** Whoever writes labels: an absolute path without `.` and `..`, and not the root. */
function isPlace(path: ByteString): boolean {
  return (
    path.startsWith('/') &&
    path !== '/' &&
    !path.endsWith('/') &&
    posix.normalize(path) === path &&
    !path.includes('\0')
  );
}

export function bindsLabel(binds: readonly Bind[]): Record<string, string> {
  if (binds.length === 0) return {};
  const told = binds.slice(0, MOST_BINDS).map(({ place, original }) => ({
    place: written(place),
    original: written(original),
  }));
  return { [SYSTEM_LABELS.binds]: JSON.stringify(told) };
}

function written(path: ByteString): z.input<typeof pathSchema> {
  const bytes = bytesOf(path);
  const text = bytes.toString('utf8');
  return byteStringFromText(text) === path ? text : { base64: bytes.toString('base64') };
}

/** None where the image has no such label, or one that p2c did not write. */
export function bindsOf({ config }: Pick<Image, 'config'>): Bind[] {
  try {
    return bindsSchema.parse(JSON.parse(config.config?.Labels?.[SYSTEM_LABELS.binds] ?? '[]')).slice(0, MOST_BINDS);
  } catch {
    return [];
  }
}
