/**
 * What a layer of a captured volume may hold: entries in path order, each once, that lie in the volume's folder or are the
 * folders down to it. Its layers are unpacked over each other, so a folder that it has no entry for is made anew: nothing
 * that a lower layer brought, a symbolic link for one, may stand in its place.
 */
import type { ByteString } from '../../printable.ts';
import type { CheckedEntry, LayerWarden } from '../layer-checker.ts';

/** Names kept in memory while a layer goes by. */
const MOST_GONE = 1_000_000;

export class VolumeWarden implements LayerWarden {
  /** What is to be taken away before the layer is unpacked over the lower ones. */
  readonly gone: ByteString[] = [];
  readonly #volume: ByteString;
  readonly #isFolder: (path: ByteString) => boolean;
  /** The folders within the volume above the current entry, outermost first. */
  readonly #above: ByteString[] = [];
  #last: string | undefined;

  /**
   * @param volume its folder, as `/a/b`.
   * @param isFolder whether the lower layers have a folder there: another thing in its place takes away all of it.
   */
  constructor(volume: ByteString, isFolder: (path: ByteString) => boolean = () => false) {
    this.#volume = volume;
    this.#isFolder = isFolder;
  }

  entry({ path, type, hardLink }: CheckedEntry): string | readonly ByteString[] {
    const key = sortKey(path);
    if (this.#last !== undefined && this.#last >= key) return 'an entry out of path order, or a second one of its path';
    this.#last = key;
    if (!isBelow(path, this.#volume)) {
      const leadsThere = path === this.#volume || isBelow(this.#volume, path);
      return type === '5' && leadsThere ? [] : "an entry outside of the volume's folder";
    }
    if (hardLink !== undefined && !isBelow(hardLink, this.#volume)) return "a hard link out of the volume's folder";
    const missing = this.#foldersMissing(path);
    if (type === '5') this.#above.push(path);
    else if (this.#isFolder(path)) this.gone.push(path);
    return this.gone.length > MOST_GONE ? TOO_MANY : missing;
  }

  whiteout(path: ByteString): string | undefined {
    if (!isBelow(path, this.#volume)) return "a whiteout outside of the volume's folder";
    this.gone.push(path);
    return this.gone.length > MOST_GONE ? TOO_MANY : undefined;
  }

  /** Outermost first. */
  #foldersMissing(path: ByteString): ByteString[] {
    while (this.#above.length > 0 && !isBelow(path, this.#above.at(-1) ?? '/')) this.#above.pop();
    const missing: ByteString[] = [];
    let end = (this.#above.at(-1) ?? this.#volume).length;
    for (end = path.indexOf('/', end + 1); end > 0; end = path.indexOf('/', end + 1)) {
      missing.push(path.slice(0, end) as ByteString);
    }
    this.#above.push(...missing);
    return missing;
  }
}

const TOO_MANY = `more than ${MOST_GONE} paths that are taken away`;

function isBelow(path: string, folder: string): boolean {
  return folder === '/' ? path !== '/' : path.startsWith(`${folder}/`);
}

/** By components: what lies in a folder comes right after it. */
function sortKey(path: ByteString): string {
  return path === '/' ? '' : path.replaceAll('/', '\0');
}
