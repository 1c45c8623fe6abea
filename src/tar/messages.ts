/** What tar says on standard error, sorted by what it means for the capture. Read under `LC_ALL=C`. */
import { unescapedName } from '../listing/quoted-name.ts';
import type { ByteString } from '../printable.ts';

export interface TarMessageAccount {
  /** Files whose content moved while tar read them. */
  readonly changed: readonly string[];
  readonly changedCount: number;
  /** The first of everything else that is worth telling: unreadable files, I/O errors. */
  readonly problems: readonly string[];
}

const KEPT = 1000;
const TAIL = 8 * 1024;
/** A name has 4096 bytes at most on Linux, four characters each in a message at worst. */
const LONGEST_LINE = 32 * 1024;

/**
 * Lines that say nothing about what arrives. Names may hold any words: what counts is how a line begins or ends. A
 * filesystem that has no extended attributes, as those of FUSE often, is told of with each file (xattrs_xattrs_get, xattrs.c).
 */
const HARMLESS =
  /^tar: Removing leading |^tar: Exiting with failure status due to previous errors$|: (?:socket ignored|File removed before we read it|(?:Warning: )?Cannot (?:stat: (?:No such file or directory|Not a directory)|[fl](?:list|get)xattr(?:at)?: Operation not supported))$/;

/** Takes standard error in chunks; holds a bounded part of it. */
export class TarMessages {
  readonly #onComplaint: (complaint: Complaint) => void;
  readonly #changed: string[] = [];
  readonly #problems: string[] = [];
  #changedCount = 0;
  #rest = '';
  /** The last few kilobytes, as they came. */
  tail = '';

  /** @param onComplaint sees each of them, however many. */
  constructor(onComplaint: (complaint: Complaint) => void = () => {}) {
    this.#onComplaint = onComplaint;
  }

  push(chunk: Buffer): void {
    const text = chunk.toString('latin1');
    this.tail = (this.tail + text).slice(-TAIL);
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LONGEST_LINE);
    for (const line of lines) this.#line(line);
  }

  end(): TarMessageAccount {
    if (this.#rest !== '') this.#line(this.#rest);
    this.#rest = '';
    return {
      changed: this.#changed,
      changedCount: this.#changedCount,
      problems: this.#problems,
    };
  }

  #line(line: string): void {
    const changed = /^tar: (.*): file changed as we read it$/.exec(line)?.[1];
    if (changed !== undefined) {
      this.#changedCount += 1;
      if (this.#changed.length < KEPT) this.#changed.push(changed.replace(/^\.\//, '/'));
    } else if (line !== '' && !HARMLESS.test(line)) {
      const problem = line.replace(/^tar: /, '');
      if (this.#problems.length < KEPT) this.#problems.push(problem);
      const complaint = complaintOf(problem);
      if (complaint !== undefined) this.#onComplaint(complaint);
    }
  }
}

/** What tar could not read, or not all of it: then it sends zeros for the rest, and goes on. */
export interface Complaint {
  readonly path: ByteString;
  readonly reason: string;
}

/** The last words that are tar's own: a name may hold the same ones. */
const TROUBLE = /^\.?(\/.*?)(?:: Warning)?: (Cannot \w+: [^:]+|Read error at [^:]*: [^:]+|File shrank by [^:]+)$/;

/**
 * True of a complaint with which zeros stand in the place of content. GNU tar takes a read that the disk's error cut short,
 * as most are that fail within its buffer, for a file that shrank (dump_regular_file, create.c): of a file that did not
 * move, it is the same trouble.
 */
export function isReadInPart(reason: string): boolean {
  return /^(?:Read error|File shrank)/.test(reason);
}

/** The path and the trouble in one of the `problems`; undefined where it is about no file. */
export function complaintOf(problem: string): Complaint | undefined {
  const [, path, reason] = TROUBLE.exec(problem) ?? [];
  return path === undefined || reason === undefined ? undefined : { path: unescapedName(path), reason };
}
