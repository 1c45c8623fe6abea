/**
 * What stands between a layer and the tar that unpacks it. Layers come from anywhere: this follows the stream from header
 * to header, refuses what no layer may hold, turns OCI's whiteouts into overlayfs's, and passes all else on untouched.
 * (image-spec, layer.md: "Whiteouts"; the second wall is that tar runs where there is nothing but its target.)
 */
import { P2cError } from '../errors.ts';
import { type ByteString, printablePath } from '../printable.ts';
import { BlockGatherer } from '../tar/block-gatherer.ts';
import { BLOCK, HeaderError, isZeroBlock, parseHeader } from '../tar/header.ts';
import { cleanName } from '../tar/name.ts';
import { type PaxRecord, parsePax } from '../tar/pax.ts';
import { extendedHeader, inventedDirectory, opaqueRecord, whiteout, withoutSize } from './layer-entries.ts';
import { ExtendedHeaders } from './layer-extended.ts';

const LONGEST_EXTENDED = 8 * 1024 * 1024;
/** Names kept in memory while a layer goes by. */
const MOST_MARKS = 1_000_000;
const WHITEOUT = '.wh.';
const OPAQUE_MARK = '.wh..wh..opq';

/** A directory's entry as it went by, so that it can be written again as opaque. */
interface DirectoryEntry {
  readonly path: ByteString;
  readonly longNames: readonly Buffer[];
  readonly records: readonly PaxRecord[];
  readonly block: Buffer;
}

/** Has a say in a layer that is no image's. */
export interface LayerWarden {
  /**
   * Sees each entry but whiteouts, its name checked already.
   * @returns why it is refused; or folders that are to be made before it.
   */
  entry(entry: CheckedEntry): string | readonly ByteString[];
  /** Takes each whiteout in tar's place. @param path of what is gone. @returns why it is refused. */
  whiteout(path: ByteString): string | undefined;
}

export interface CheckedEntry {
  /** As `/a/b`. */
  readonly path: ByteString;
  /** POSIX type flag. */
  readonly type: string;
  /** Of a hard link, as `/a/b`. */
  readonly hardLink: ByteString | undefined;
}

type State = 'header' | 'extended' | 'content' | 'ended';

/** Feed chunks to `push`, write what it gives; `end` closes the archive. Memory: one extended header and the marks. */
export class LayerChecker {
  /** Directories, as `/a/b`, that hide what lower layers have in them. */
  readonly opaque = new Set<string>();
  readonly #whiteouts = new Set<string>();
  /** Device nodes, and hard links to them, that are left out. */
  leftOut = 0;
  readonly #warden: LayerWarden | undefined;
  readonly #unprivileged: boolean;
  readonly #devices = new Set<string>();
  /** The directories above the current entry, as far as they went by. */
  #above: DirectoryEntry[] = [];
  #extended = new ExtendedHeaders();
  #state: State = 'header';
  readonly #gatherer = new BlockGatherer();
  #remaining = 0;
  #passing = true;
  #extendedHeader = { type: '', size: 0, block: Buffer.alloc(0) };
  #zeroBlocks = 0;
  #offset = 0;
  #last: ByteString | undefined;

  /** @param unprivileged whether it is unpacked in a user namespace: no device node can be made there (mknod(2)). */
  constructor(warden?: LayerWarden, unprivileged = false) {
    this.#warden = warden;
    this.#unprivileged = unprivileged;
  }

  /** @returns the bytes for tar. @throws P2cError `layer.refused`. */
  push(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    while (at < chunk.length && this.#state !== 'ended') {
      at = this.#state === 'content' ? this.#content(chunk, at, out) : this.#collect(chunk, at, out);
    }
    this.#offset += chunk.length;
    return out;
  }

  /** @returns the end of the archive. @throws P2cError `layer.refused` where the stream ended inside an entry. */
  end(): Buffer {
    if (this.#state !== 'ended' && (this.#state !== 'header' || this.#gatherer.pending)) {
      throw this.#refused('it ends in the middle of an entry');
    }
    return Buffer.alloc(2 * BLOCK);
  }

  #content(chunk: Buffer, at: number, out: Buffer[]): number {
    const take = Math.min(this.#remaining, chunk.length - at);
    if (this.#passing) out.push(at === 0 && take === chunk.length ? chunk : chunk.subarray(at, at + take));
    this.#remaining -= take;
    if (this.#remaining === 0) this.#state = 'header';
    return at + take;
  }

  /** A header block, or the blocks of an extended header. */
  #collect(chunk: Buffer, at: number, out: Buffer[]): number {
    const wanted = this.#state === 'header' ? BLOCK : this.#remaining;
    const { end, block } = this.#gatherer.gather(chunk, at, wanted);
    if (block === undefined) return end;
    try {
      if (this.#state === 'header') this.#header(block, out);
      else this.#endExtended(block);
    } catch (error) {
      throw error instanceof HeaderError ? this.#refused(error.message) : error;
    }
    return end;
  }

  #header(block: Buffer, out: Buffer[]): void {
    if (isZeroBlock(block)) {
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#state = 'ended';
      return;
    }
    this.#zeroBlocks = 0;
    const { type, size, name, linkName } = parseHeader(block);
    if (!'xLKg'.includes(type)) {
      this.#entry({ type, size, name, linkName, block }, out);
      return;
    }
    if (size === 0 || size > LONGEST_EXTENDED) throw this.#refused(`an extended header of ${size} bytes`);
    this.#extendedHeader = { type, size, block: Buffer.from(block) };
    this.#remaining = padded(size);
    this.#state = 'extended';
  }

  #endExtended(bytes: Buffer): void {
    const { type, size, block } = this.#extendedHeader;
    this.#state = 'header';
    this.#remaining = 0;
    if (type === 'x') this.#extended.addRecords(parsePax(bytes.subarray(0, size)), [block, Buffer.from(bytes)]);
    // A global header speaks of no entry; its comment is all that writers put there.
    else if (type !== 'g') this.#extended.addLongName(type === 'L' ? 'path' : 'linkpath', size, block, bytes);
  }

  #entry(
    header: { type: string; size: number; name: ByteString; linkName: ByteString; block: Buffer },
    out: Buffer[],
  ): void {
    const extended = this.#extended;
    this.#extended = new ExtendedHeaders();
    const name = extended.path ?? header.name;
    this.#last = name;
    const path = this.#checkedName(name);
    // GNU tar makes a folder of a file whose name ends so, as BSD's did, and reads its content as the next headers.
    const type = '07'.includes(header.type) && name.endsWith('/') ? '5' : header.type;
    const size = extended.size ?? header.size;
    if (type !== header.type && size > 0) throw this.#refused("content in an entry whose name ends with '/'");
    this.#checkType(header.type, path, extended.size ?? 0);
    const hardLink = type === '1' ? this.#checkedLink(extended.linkPath ?? header.linkName) : undefined;
    const hasContent = type === '0' || type === '7';
    this.#remaining = hasContent ? padded(size) : 0;
    this.#state = this.#remaining === 0 ? 'header' : 'content';
    const slash = path.lastIndexOf('/');
    this.#passing = !path.startsWith(WHITEOUT, slash + 1);
    const block = hasContent || header.size === 0 ? header.block : withoutSize(header.block);
    if (this.#passing) this.#ask({ path, type, hardLink }, out);
    if (!this.#passing) this.#whiteout(path, slash, out);
    else if (type === '5') this.#directory(path, extended, Buffer.from(block), out);
    else if (this.#isLeftOut(path, type, hardLink)) this.leftOut += 1;
    else out.push(...extended.bytes(), block);
  }

  #isLeftOut(path: string, type: string, hardLink: string | undefined): boolean {
    const isDevice = type === '3' || type === '4' || (hardLink !== undefined && this.#devices.has(hardLink));
    if (!this.#unprivileged || !isDevice) return false;
    this.#mark(this.#devices, path);
    return true;
  }

  #ask(entry: CheckedEntry, out: Buffer[]): void {
    const answer = this.#warden?.entry(entry) ?? [];
    if (typeof answer === 'string') throw this.#refused(answer);
    for (const folder of answer) out.push(...inventedDirectory(folder, []));
  }

  #directory(path: ByteString, extended: ExtendedHeaders, block: Buffer, out: Buffer[]): void {
    while (this.#above.length > 0 && !isAbove(this.#above.at(-1)?.path ?? '/', path)) this.#above.pop();
    const entry = { path, longNames: extended.longNames, records: extended.records, block };
    this.#above.push(entry);
    // A name that was taken away and is a directory now: nothing of the old one may show through.
    if (this.#whiteouts.delete(path)) this.#mark(this.opaque, path);
    if (this.opaque.has(path)) out.push(...this.#opaqueEntry(entry));
    else out.push(...extended.bytes(), block);
  }

  #whiteout(path: ByteString, slash: number, out: Buffer[]): void {
    const parent = slash === 0 ? '/' : path.slice(0, slash);
    const mark = path.slice(slash + 1);
    if (mark === OPAQUE_MARK) {
      if (this.#warden !== undefined) throw this.#refused('a mark that hides all of a folder');
      this.#mark(this.opaque, parent);
      const known = this.#above.find((entry) => entry.path === parent);
      out.push(
        ...(known === undefined ? inventedDirectory(parent as ByteString, [this.#opaque]) : this.#opaqueEntry(known)),
      );
      return;
    }
    // Aufs's own notes (`.wh..wh.plnk`…) are no whiteouts.
    if (mark.startsWith(`${WHITEOUT}${WHITEOUT}`)) return;
    const hidden = mark.slice(WHITEOUT.length);
    if (hidden === '' || hidden === '.' || hidden === '..') throw this.#refused('a whiteout of no name');
    const target = (parent === '/' ? `/${hidden}` : `${parent}/${hidden}`) as ByteString;
    if (this.#warden !== undefined) {
      const refusal = this.#warden.whiteout(target);
      if (refusal !== undefined) throw this.#refused(refusal);
      return;
    }
    this.#mark(this.#whiteouts, target);
    out.push(...whiteout(target));
  }

  get #opaque(): PaxRecord {
    return opaqueRecord(this.#unprivileged);
  }

  #opaqueEntry({ longNames, records, block }: DirectoryEntry): Buffer[] {
    return [...longNames, ...extendedHeader([...records, this.#opaque]), block];
  }

  #mark(marks: Set<string>, path: string): void {
    marks.add(path);
    if (marks.size > MOST_MARKS) throw this.#refused(`more than ${MOST_MARKS} whiteouts, or as many device nodes`);
  }

  #checkedName(name: ByteString): ByteString {
    if (name === '' || name.includes('\0')) throw this.#refused('an entry without a name, or with a NUL byte in it');
    if (name.startsWith('/')) throw this.#refused('an absolute name');
    if (name.split('/').includes('..')) throw this.#refused("a name with the component '..'");
    return cleanName(name);
  }

  #checkType(type: string, path: ByteString, statedSize: number): void {
    if (!'01234567'.includes(type)) {
      throw this.#refused(`an entry of the unknown type '${type.replace(/[^\x21-\x7e]/, '?')}'`);
    }
    if (path === '/' && type !== '5') throw this.#refused('an entry for the root that is no directory');
    if (statedSize > 0 && type !== '0' && type !== '7') throw this.#refused('content in an entry that can have none');
  }

  #checkedLink(target: ByteString): ByteString {
    if (target === '' || target.includes('\0')) throw this.#refused('a hard link without a target');
    if (target.split('/').includes('..')) throw this.#refused("a hard link whose target has the component '..'");
    return cleanName(target);
  }

  #refused(what: string): P2cError {
    const at = this.#last === undefined ? 'at its first entry' : `at or after '${printablePath(this.#last)}'`;
    return new P2cError(`the layer is refused near byte ${this.#offset}, ${at}: ${what}`, {
      code: 'layer.refused',
      hint: 'no valid layer holds this: the image is damaged or made to do harm',
    });
  }
}

function isAbove(directory: string, path: string): boolean {
  return directory === '/' ? path !== '/' : path.startsWith(`${directory}/`);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}
