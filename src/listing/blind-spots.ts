/**
 * Where a find could not look. What a later listing lacks there is not gone, it was not seen: no whiteout may hide what
 * was captured of it.
 */
import { type ByteString, byteStringFromText } from '../printable.ts';
import { isAtOrBelow } from './path.ts';

export class BlindSpots {
  readonly #directories: readonly ByteString[];
  /** A complaint that names no path may be about any. */
  readonly #everywhere: boolean;

  /** @param complaints lines of find: `find: '/data/x': Input/output error`. */
  constructor(complaints: readonly string[]) {
    const named = complaints.map(pathIn);
    this.#directories = named.filter((path) => path !== undefined);
    this.#everywhere = named.includes(undefined);
  }

  covers(path: ByteString): boolean {
    return this.#everywhere || this.#directories.some((directory) => isAtOrBelow(path, directory));
  }
}

/** The path, where find writes it as it is; undefined where it quotes odd bytes, in a way of its own. */
function pathIn(complaint: string): ByteString | undefined {
  const path = /^find: (?:['"\u2018`]?)(\/[\x21-\x26\x28-\x5b\x5d-\x7e ]*?)(?:['"\u2019]?): /.exec(complaint)?.[1];
  return path === undefined ? undefined : byteStringFromText(path.replace(/(?<=.)\/+$/, ''));
}
