/**
 * The oracle's own reading of a tar stream (POSIX pax interchange format; GNU tar's `L` and `K`). Nothing of the room
 * `tar` is used, for a mistake there must show here; and not tar-stream, which decodes names as UTF-8, so that two
 * names of other bytes would look like one, and which does not tell the types it does not know apart.
 */
import type { ByteString } from '../../printable.ts';
import { ExtendedReading } from './tar-extended.ts';
import { checksum, faultyNumbers, fieldsOf, nameIn, number, text } from './tar-fields.ts';

export interface TarEntry {
  /** As it is spelled. */
  readonly name: ByteString;
  /** POSIX type flag; `0` for the old NUL, `5` for an old directory whose name ends in a slash. */
  readonly type: string;
  readonly link: ByteString;
  readonly size: number;
  /** Keys of its extended header. */
  readonly keys: readonly string[];
  /** Records of its extended header by key, as bytes; the header's own fields under `mode`, `uid`, `gid`, `mtime`, `device`. */
  readonly attributes: ReadonlyMap<string, ByteString>;
  /** Where its own header lies. */
  readonly offset: number;
}

/** Who wants to see more than the entries: each as it begins, and the content that follows it. */
export interface TarWatcher {
  entry(entry: TarEntry): void;
  content(bytes: Buffer): void;
}

export type TarComplaint = (code: string, offset: number, message: string) => void;

interface Gathering {
  readonly type: string;
  readonly offset: number;
  readonly bytes: Buffer;
  filled: number;
}

const BLOCK = 512;
const EXTENSIONS = 'xgLK';

export class TarReader {
  readonly #complain: TarComplaint;
  readonly #watcher: TarWatcher | undefined;
  readonly #block = Buffer.alloc(BLOCK);
  #filled = 0;
  #offset = 0;
  /** Bytes of content and padding that are passed over. */
  #skip = 0;
  /** Bytes of content among them. */
  #content = 0;
  #gathering: Gathering | undefined;
  #extended = new ExtendedReading();
  #zeroBlocks = 0;
  #state: 'reading' | 'ended' | 'lost' = 'reading';

  /** @param complain gets every breach of the format. */
  constructor(complain: TarComplaint, watcher?: TarWatcher) {
    this.#complain = complain;
    this.#watcher = watcher;
  }

  /** @returns the entries whose headers are complete now. */
  push(chunk: Buffer): TarEntry[] {
    const entries: TarEntry[] = [];
    let rest = chunk;
    while (rest.length > 0 && this.#state === 'reading') rest = this.#take(rest, entries);
    if (this.#state === 'ended') this.#checkTrailer(rest);
    return entries;
  }

  /** To be called after the last byte. */
  end(): void {
    if (this.#state !== 'reading') return;
    const partial = this.#filled > 0 || this.#skip > 0 || this.#gathering !== undefined;
    if (partial) this.#complain('tar.truncated', this.#offset, 'the archive ends in the middle of an entry');
    else this.#complain('tar.no-end', this.#offset, 'the archive ends without two blocks of zeros');
  }

  #take(rest: Buffer, entries: TarEntry[]): Buffer {
    if (this.#gathering !== undefined) return this.#gather(this.#gathering, rest);
    if (this.#skip > 0) {
      const passed = Math.min(this.#skip, rest.length);
      const content = Math.min(this.#content, passed);
      if (content > 0) this.#watcher?.content(rest.subarray(0, content));
      this.#content -= content;
      this.#skip -= passed;
      this.#offset += passed;
      return rest.subarray(passed);
    }
    const taken = Math.min(BLOCK - this.#filled, rest.length);
    rest.copy(this.#block, this.#filled, 0, taken);
    this.#filled += taken;
    if (this.#filled === BLOCK) {
      this.#filled = 0;
      this.#header(this.#block, entries);
      this.#offset += BLOCK;
    }
    return rest.subarray(taken);
  }

  #gather(gathering: Gathering, rest: Buffer): Buffer {
    const taken = Math.min(gathering.bytes.length - gathering.filled, rest.length);
    rest.copy(gathering.bytes, gathering.filled, 0, taken);
    gathering.filled += taken;
    this.#offset += taken;
    if (gathering.filled === gathering.bytes.length) {
      this.#gathering = undefined;
      this.#skip = padding(gathering.bytes.length);
      this.#extend(gathering);
    }
    return rest.subarray(taken);
  }

  #header(block: Buffer, entries: TarEntry[]): void {
    if (isZero(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      return;
    }
    if (this.#zeroBlocks > 0)
      this.#complain('tar.zero-block', this.#offset, 'one block of zeros stands between entries');
    this.#zeroBlocks = 0;
    const stated = number(block, 148, 8);
    const type = block.toString('latin1', 156, 157);
    const size = number(block, 124, 12);
    if (stated !== checksum(block)) {
      this.#lose('the header has a wrong checksum');
      return;
    }
    // Also of an extended header: who refuses such a field refuses it there, too.
    for (const fault of faultyNumbers(block)) this.#complain('tar.header', this.#offset, fault);
    if (size === undefined || size < 0) this.#lose('the header states no size');
    else if (EXTENSIONS.includes(type)) this.#startExtension(type, size);
    else this.#entry(block, type === '\0' ? '0' : type, size, entries);
  }

  #startExtension(type: string, size: number): void {
    const offset = this.#offset;
    const refusal = this.#extended.begin(type, size, (code, message) => this.#complain(code, offset, message));
    if (refusal !== undefined) {
      this.#lose(refusal);
      return;
    }
    const gathering = { type, offset, bytes: Buffer.alloc(size), filled: 0 };
    if (size === 0) this.#extend(gathering);
    else this.#gathering = gathering;
  }

  #entry(block: Buffer, type: string, headerSize: number, entries: TarEntry[]): void {
    const extended = this.#extended;
    this.#extended = new ExtendedReading();
    const name = extended.name ?? nameIn(block);
    const size = extended.size ?? headerSize;
    const link = extended.link ?? text(block, 157, 100);
    const actual = type === '0' && name.endsWith('/') ? '5' : type;
    const attributes = new Map([...fieldsOf(block, actual), ...extended.others]);
    const entry = { name, type: actual, link, size, keys: extended.keys, attributes, offset: this.#offset };
    entries.push(entry);
    this.#watcher?.entry(entry);
    if (!/[1-6]/.test(type)) {
      this.#skip = size + padding(size);
      this.#content = size;
    }
    // GNU tar passes over such bytes and Go does not, or the other way round: that hides entries from one of them.
    else if (size > 0) this.#complain('tar.size', this.#offset, `an entry of type '${type}' states ${size} bytes`);
  }

  #extend({ type, offset, bytes }: Gathering): void {
    this.#extended.add(type, bytes, (code, message) => this.#complain(code, offset, message));
  }

  #checkTrailer(rest: Buffer): void {
    if (!isZero(rest)) {
      this.#complain('tar.trailing', this.#offset, 'something follows the end of the archive');
      this.#state = 'lost';
    }
    this.#offset += rest.length;
  }

  #lose(message: string): void {
    this.#complain('tar.header', this.#offset, `${message}; what follows was not examined`);
    this.#state = 'lost';
  }
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function isZero(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 0) return false;
  return true;
}
