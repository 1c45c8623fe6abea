/**
 * The key of a part's content: equal where a part of another listing asks for the same paths and `stat` says the same of
 * each. A part that was captured under a key need not be captured again while the key comes out the same.
 */
import { createHash, type Hash } from 'node:crypto';
import type { ByteString } from '../printable.ts';
import { EntryEncoder } from './codec.ts';
import type { Entry, Instant } from './entry.ts';

const HASH_BYTES = 64 * 1024;
const NEVER: Instant = { seconds: 0, nanoseconds: 0 };

export class PartKey {
  readonly #hash: Hash = createHash('sha256');
  readonly #encoder = new EntryEncoder();
  readonly #restless: ReadonlySet<string>;
  readonly #writesHoles: boolean;
  #hasContent = false;

  /**
   * @param restless directories whose times mean nothing: the kernel's filesystems are mounted there.
   * @param writesHoles whether holes go out as zeros.
   */
  constructor(restless: ReadonlySet<string>, writesHoles: boolean) {
    this.#restless = restless;
    this.#writesHoles = writesHoles;
  }

  /** Allocated blocks are not part of it: they settle some time after a write, and nothing else tells of that. */
  add(entry: Entry): void {
    this.#hasContent ||= entry.type === 'f' && entry.size > 0;
    this.#encoder.add(this.#restless.has(entry.path) ? lasting(entry) : entry, 0);
    if (this.#encoder.length >= HASH_BYTES) this.#hash.update(this.#encoder.take());
  }

  /** An empty file that p2c makes: every login changes the one it stands for. */
  made(entry: Entry): void {
    this.#encoder.add(lasting(entry));
  }

  /** @param whiteouts what the part hides. */
  end(whiteouts: readonly ByteString[]): string {
    this.#hash.update(this.#encoder.take());
    for (const path of whiteouts) this.#hash.update(`\0${path}`, 'latin1');
    // Which files have holes the listing does not tell for sure, and tar stores all that do in a form of their own.
    if (this.#hasContent && !this.#writesHoles) this.#hash.update('\0\0holes');
    return this.#hash.digest('hex');
  }
}

/** What an image has of a directory where the kernel's own filesystem is mounted, and of a file that is made empty. */
function lasting(entry: Entry): Entry {
  return { ...entry, size: 0, blocks: 0, mtime: NEVER, ctime: NEVER, device: 0, inode: 0, links: 1 };
}
