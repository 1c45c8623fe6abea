/** Which folders a volume has while it is unpacked. No symbolic link is followed on the way to them: they are anybody's. */
import { lstatSync } from 'node:fs';
import { systemCode } from '../../errors.ts';
import { type ByteString, bytesOf } from '../../printable.ts';

export class LowerFolders {
  readonly #volume: ByteString;
  readonly #data: Buffer;
  /** What was said of the folder that was asked for last: paths come folder by folder. */
  #last: { readonly path: ByteString; readonly there: boolean };

  /** @param volume its path, which those that are asked for begin with. @param data where it lies on this machine. */
  constructor(volume: ByteString, data: string) {
    this.#volume = volume;
    this.#data = Buffer.from(data);
    this.#last = { path: volume, there: true };
  }

  has(path: ByteString): boolean {
    return path === this.#volume || (this.#hasParent(parentOf(path)) && this.#isDirectory(path));
  }

  #hasParent(path: ByteString): boolean {
    if (path !== this.#last.path) this.#last = { path, there: this.has(path) };
    return this.#last.there;
  }

  #isDirectory(path: ByteString): boolean {
    const within = bytesOf(path.slice(this.#volume.length) as ByteString);
    try {
      return lstatSync(Buffer.concat([this.#data, within])).isDirectory();
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return false;
      throw error;
    }
  }
}

/** The folder that a path lies in. */
export function parentOf(path: ByteString): ByteString {
  return path.slice(0, path.lastIndexOf('/')) as ByteString;
}
