/**
 * The bytes of a file that no block of its disk holds. Most disks have as many blocks for a file as its content fills, and
 * what lacks are holes. Some compress what they hold and count what is left: of a file there, fewer blocks tell nothing.
 */
import type { ByteString } from '../printable.ts';
import type { Entry } from './entry.ts';

/** Of what is not one byte over and over, nothing leaves so little: lz4 a 255th at best, deflate a 1032nd. */
const MOST_COMPRESSED = 1000;

export class Holes {
  readonly #isCompressed: (path: ByteString) => boolean;

  /** @param isCompressed whether the disk of a path counts the blocks of what it compressed. */
  constructor(isCompressed: (path: ByteString) => boolean = () => false) {
    this.#isCompressed = isCompressed;
  }

  /** Bytes. */
  of({ path, type, size, blocks }: Pick<Entry, 'path' | 'type' | 'size' | 'blocks'>): number {
    const held = blocks * 512;
    if (type !== 'f' || size <= held) return 0;
    return held * MOST_COMPRESSED >= size && this.#isCompressed(path) ? 0 : size - held;
  }
}
