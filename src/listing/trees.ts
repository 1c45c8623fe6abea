/**
 * The trees that a capture falls into: the image's, and one for each volume that is stored beside it. A volume's folder
 * itself lies in the tree around it, as the place where the volume is mounted; what is below it is the volume's.
 */
import type { ByteString } from '../printable.ts';
import { isAtOrBelow, isBelow } from './path.ts';

/** A folder that a container has as a volume. */
export interface VolumePlace {
  /** Absolute and clean. */
  readonly path: ByteString;
  /** True where its content is stored beside the image; false where it stays in it. */
  readonly apart: boolean;
}

export class Trees {
  /** The innermost first. */
  readonly #places: readonly VolumePlace[];

  constructor(places: readonly VolumePlace[]) {
    this.#places = [...places].sort((a, b) => b.path.length - a.path.length);
  }

  /** The volume that holds what lies at the path; undefined for the image. */
  of(path: ByteString): ByteString | undefined {
    const place = this.#places.find((each) => isBelow(path, each.path));
    return place?.apart === true ? place.path : undefined;
  }

  /** Volumes beside the image that are mounted at the path, or below it. */
  mountedWithin(path: ByteString): ByteString[] {
    return this.#places.filter((each) => each.apart && isAtOrBelow(each.path, path)).map((each) => each.path);
  }

  /** True for a folder whose content is stored beside the image. */
  isMountPoint(path: ByteString): boolean {
    return this.#places.some((each) => each.apart && each.path === path);
  }
}
