/** What a filter tells of, entry by entry: the one list of kinds, by what each means for the image. */
import type { ByteString } from '../printable.ts';

/** `left out`: the image is as asked for. `lost`: it is not. `fixed`: changed so that importers take it. `noted`: kept. */
export const ANOMALY_KINDS = {
  'not asked for': 'left out',
  'second entry': 'left out',
  'not delivered': 'lost',
  'hard link without its target': 'lost',
  'below what is no directory': 'lost',
  'whiteout name': 'lost',
  'acl name without id': 'attribute lost',
  'acl unreadable': 'attribute lost',
  'attributes unreadable': 'attribute lost',
  'selinux label dropped': 'fixed',
  'acl rewritten': 'fixed',
  'header made stable': 'fixed',
  'attributes read beside the stream': 'fixed',
  'recreated empty': 'fixed',
  'separated from its other names': 'fixed',
  'stored as a sparse file': 'fixed',
  'device node': 'noted',
} as const satisfies Readonly<Record<string, Weight>>;

type Weight = 'left out' | 'lost' | 'attribute lost' | 'fixed' | 'noted';

export type AnomalyKind = keyof typeof ANOMALY_KINDS;

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly path: ByteString;
}

/** Entries by kind; kinds that did not occur are not in it. */
export type AnomalyCounts = Partial<Record<AnomalyKind, number>>;
