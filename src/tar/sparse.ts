/**
 * Sparse files in pax headers, as GNU tar's format 1.0 has them: the content begins with a map of the file's data, and
 * records `GNU.sparse.*` give its name and size (GNU tar manual, "Storing Sparse Files"). containers/storage takes it.
 */
import { type ByteString, byteString } from '../printable.ts';
import { withFields } from './header.ts';
import type { PaxRecord } from './pax.ts';

const PREFIX = 'GNU.sparse.';
const NAME_BYTES = 100;
/** GNU tar puts its process ID there; readers that know the format take the name from the record. */
const STABLE_NAME = './GNUSparseFile.0/sparse';

export interface SparseFormat {
  /** True for the one format that may pass: 1.0, with the file's name. */
  readonly known: boolean;
  readonly name: ByteString | undefined;
}

/** Undefined where the records speak of no sparse file. */
export function sparseFormatOf(records: readonly PaxRecord[]): SparseFormat | undefined {
  const fields = new Map(
    records.filter(({ key }) => key.startsWith(PREFIX)).map(({ key, value }) => [key.slice(PREFIX.length), value]),
  );
  if (fields.size === 0) return undefined;
  const text = (key: string): string | undefined => fields.get(key)?.toString('latin1');
  const name = fields.get('name');
  const known =
    [...fields.keys()].every((key) => ['major', 'minor', 'name', 'realsize'].includes(key)) &&
    text('major') === '1' &&
    text('minor') === '0' &&
    name !== undefined &&
    /^[0-9]{1,19}$/.test(text('realsize') ?? '');
  return { known, name: name === undefined ? undefined : byteString(name) };
}

/** The entry's block with a name that is the same at each capture. */
export function withStableName(block: Buffer): Buffer {
  return withFields(block, (copy) => {
    copy.fill(0, 0, NAME_BYTES);
    copy.write(STABLE_NAME, 0, 'latin1');
    copy.fill(0, 345, 500);
  });
}
