/** One part of a capture while it is planned: its list of paths, its size, its key. */
import type { ByteString } from '../printable.ts';
import { type Entry, isHardLinked, tarSize } from './entry.ts';
import { PartKey } from './part-key.ts';
import { isAtOrBelow } from './path.ts';
import { type ListedPath, PathListWriter } from './path-list.ts';
import type { RuleSet } from './rules.ts';

export interface Part {
  readonly index: number;
  /** The volume beside the image that it is of; undefined for a part of the image. */
  readonly volume: ByteString | undefined;
  /** A {@link PathListWriter} file: what is asked of the source's tar, in order. */
  readonly pathsFile: string;
  readonly entries: number;
  /** Bytes its tar stream will have, as the listing has it. */
  readonly bytes: number;
  /** Paths of lower layers that this one hides. Their directories are among its entries. */
  readonly whiteouts: readonly ByteString[];
  /** See {@link PartKey}. */
  readonly key: string;
}

export interface PartOptions {
  /** Directories whose times mean nothing: the kernel's filesystems are mounted there. */
  readonly restless: ReadonlySet<string>;
  readonly rules: Pick<RuleSet, 'tarSize' | 'writesHoles'>;
}

/** Who applies a layer keeps what it hides in memory: p2c's own runner refuses one with more than a million whiteouts. */
const MOST_WHITEOUTS = 250_000;

export class OpenPart {
  readonly volume: ByteString | undefined;
  /** Of tar, so far. */
  bytes = 0;
  readonly #file: string;
  readonly #rules: PartOptions['rules'];
  readonly #list: PathListWriter;
  readonly #key: PartKey;
  readonly #whiteouts: ByteString[] = [];
  #last: ByteString | undefined;
  #entries = 0;

  constructor(file: string, volume: ByteString | undefined, { restless, rules }: PartOptions) {
    this.#file = file;
    this.volume = volume;
    this.#rules = rules;
    this.#list = new PathListWriter(file);
    this.#key = new PartKey(restless, rules.writesHoles);
  }

  /**
   * Whether a directory above the path that comes next was written: what lies between it and the part's last path is below
   * it, so it was written before that.
   */
  has(directory: ByteString): boolean {
    return this.#last !== undefined && isAtOrBelow(this.#last, directory);
  }

  /** @param withContent false for a further name of an inode, which goes out as a hard link. */
  write(entry: Entry, withContent = true): void {
    this.#add({ path: entry.path, hardLinked: isHardLinked(entry) });
    this.#key.add(entry);
    this.bytes += withContent ? this.#rules.tarSize(entry) : tarSize({ ...entry, size: 0 });
  }

  /** An empty file in the place of one that is left out. */
  make(entry: Entry): void {
    const { path, mode, uid, gid } = entry;
    this.#add({ path, hardLinked: false, made: { mode, uid, gid } });
    this.#key.made(entry);
    this.bytes += tarSize({ ...entry, size: 0 });
  }

  /** False once it hides as much as a layer should. */
  get canHide(): boolean {
    return this.#whiteouts.length < MOST_WHITEOUTS;
  }

  hide(path: ByteString): void {
    this.#whiteouts.push(path);
  }

  #add(listed: ListedPath): void {
    this.#list.add(listed);
    this.#last = listed.path;
    this.#entries += 1;
  }

  drain(): Promise<void> {
    return this.#list.drain();
  }

  async finish(index: number): Promise<Part> {
    await this.#list.finish();
    return {
      index,
      volume: this.volume,
      pathsFile: this.#file,
      entries: this.#entries,
      bytes: this.bytes,
      whiteouts: this.#whiteouts,
      key: this.#key.end(this.#whiteouts),
    };
  }

  close(): Promise<void> {
    return this.#list.close();
  }
}
