/** Whiteouts, by which a layer hides a path of the layers below it (OCI image-spec, layer.md, "Whiteouts"). */
import type { ByteString } from '../printable.ts';
import { emptyFile } from './made-entry.ts';

export const WHITEOUT_PREFIX = '.wh.';

/**
 * The blocks of an empty file `.wh.NAME` beside the path, with no attributes: mode 0, owner 0, time 0. Of the directories
 * above, entries have to be there already.
 */
export function whiteout(path: ByteString): Buffer {
  const slash = path.lastIndexOf('/');
  const name = `${path.slice(0, slash + 1)}${WHITEOUT_PREFIX}${path.slice(slash + 1)}` as ByteString;
  return emptyFile(name, { mode: 0, uid: 0, gid: 0 });
}
