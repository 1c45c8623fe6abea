/**
 * Lists a filesystem of a source. One record is `FIELDS PATH NUL TARGET NUL`: the fields are numbers and never hold a NUL,
 * names may hold every other byte, so nothing in a name can forge a record.
 *
 * GNU find writes the records itself. Where find lacks `-printf` (busybox, toybox) it gives the names, and `stat -c` and
 * readlink the rest: the same record, at a tenth of the speed. The script chooses on the source, by the same test that the probe
 * of its tools reports.
 */
import { P2cError } from '../errors.ts';
import { type ByteString, byteString } from '../printable.ts';
import { quote, quotePath } from '../ssh/quote.ts';
import type { Entry } from './entry.ts';
import { readFindRecord } from './find-record.ts';
import { malformed, parseRecord } from './record.ts';

/** `%y` type, `%m` mode, `%U` `%G` ids, `%s` bytes, `%b` blocks, times, `%D:%i` inode, `%n` links, path, link target. */
const PRINTF_FORMAT = '%y %m %U %G %s %b %T@ %C@ %D %i %n %p\\0%l\\0';

/** `%f` type and mode in hexadecimal, then as above; `%b` counts blocks of 512 bytes, as the kernel does. */
const STAT_FORMAT = '= %f %u %g %s %b %Y %Z %d %i %h';

/** How a source is listed, in the words that {@link CHOOSE_LISTER} prints. */
export type Lister = 'find -printf' | 'find -exec stat' | 'find | xargs stat';

/** The ways there are, best first. */
export const LISTERS: readonly Lister[] = ['find -printf', 'find | xargs stat', 'find -exec stat'];

/** What find prints for `/`: no number is absent, and no letter of the format is left as it is. A shell drops the NULs. */
const PRINTED = `d' '[0-7]*' '${"[0-9]*' '".repeat(4)}${"[0-9-]*' '".repeat(2)}${"[0-9]*' '".repeat(3)}/`;

/**
 * Shell text that sets `$lister` to a {@link Lister} or to nothing, and `$stat` to the format for stat. What decides is a
 * trial on `/`, never a version. stat's `%z` tells parts of a second on most systems, and old busybox writes zeros there:
 * /proc/self is as old as the moment, which tells the two apart.
 * xargs goes before `-exec … {} +`: busybox find makes batches there that the kernel refuses ('Argument list too long').
 *
 * find writes into a pipe 4 KiB at a time, and each becomes a packet: to take it costs p2c as much as what is in it.
 * `$buffered` is GNU's stdbuf where that works, which makes sixteen of them one.
 */
export const CHOOSE_LISTER = `
lister= stat='${STAT_FORMAT}' buffered=
p2c_try() {
  { p2c_printed=$($buffered find / -prune -printf '${PRINTF_FORMAT}'); } 2>/dev/null
  case $p2c_printed in ${PRINTED}) lister='find -printf' ;; esac
}
if command -v stdbuf >/dev/null 2>&1; then buffered='stdbuf -o 64K'; fi
p2c_try
if [ -n "$buffered" ] && [ -z "$lister" ]; then buffered=; p2c_try; fi
if [ -n "$lister" ]; then :
elif stat -c "$stat" / 2>/dev/null | grep '^= 4[0-9a-f]* [0-9]* [0-9]* [0-9]* [0-9]* [0-9-]* [0-9-]* [0-9]* [0-9]* [0-9]*$' >/dev/null &&
  command -v readlink >/dev/null 2>&1; then
  case $(stat -c %z /proc/self 2>/dev/null) in *.*[1-9]*' '*) stat="$stat %y %z" ;; esac
  if [ "$(find / -prune -print0 2>/dev/null | xargs -0 -n 1 echo 2>/dev/null)" = / ]; then lister='find | xargs stat'
  elif [ "$(find / -prune -exec sh -c 'echo "$1"' p2c {} + 2>/dev/null)" = / ]; then lister='find -exec stat'
  fi
fi
`;

/**
 * Shell text for one batch of names. One line of stat a name, so that lines and names go together by counting: stat prints no
 * name, and so a name with a newline cannot add a line. Where stat failed for one of the batch (it vanished, most often) each
 * name is asked for by itself. readlink ends with one newline of its own, which the parser takes off: `$(…)` would also
 * take off those that belong to the target.
 */
const BATCH = `
say() {
  printf '%s %s\\0' "$1" "$2"
  case $1 in '= a'???' '*) readlink -- "$2" ;; esac
  printf '\\0'
}
stat=$0
if lines=$(stat -c "$stat" -- "$@" 2>/dev/null); then
  printf '%s\\n' "$lines" | while IFS= read -r line; do say "$line" "$1"; shift; done
else
  for path; do if line=$(stat -c "$stat" -- "$path"); then say "$line" "$path"; fi; done
fi
true
`;

/** Where a find begins, and what it lists: the tree there, not crossing into other filesystems, or the path alone. */
export interface Start {
  readonly path: ByteString;
  readonly what: 'filesystem' | 'subvolume' | 'directory' | 'itself';
  /** Where something else may have been mounted: nothing is listed that is not of this device. */
  readonly device?: number;
}

/**
 * The script of one find. Its exit code is find's: of a pipe's commands the last one's counts, and so the code goes past xargs,
 * or a find that was killed half way would have listed all.
 */
export function findScript({ path, what }: Start): string {
  // find takes a start that begins with a slash as a path, whatever follows.
  const find = `find ${quotePath(path)} -xdev${what === 'itself' ? ' -prune' : ''}`;
  return `${CHOOSE_LISTER}
batch=${quote(BATCH)}
case $lister in
'find -printf') exec $buffered ${find} -printf ${quote(PRINTF_FORMAT)} ;;
'find -exec stat') exec ${find} -exec sh -c "$batch" "$stat" {} + ;;
'find | xargs stat')
  exec 4>&1
  code=$({ { ${find} -print0; echo $? >&3; } | xargs -0 -n 500 sh -c "$batch" "$stat" 3>&- >&4; } 3>&1) || exit
  exit "\${code:-2}" ;;
*) echo 'neither find -printf nor find with stat works here' >&2; exit 2 ;;
esac`;
}

/** Longer than any path a kernel gives out (PATH_MAX is 4096), short enough to bound what is buffered. */
const LONGEST_RECORD = 256 * 1024;

/** Parses a stream of records; holds at most one record. Give each chunk to `push`, and call `end` after the last. */
export class FindParser {
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;

  /** @returns the entries completed by this chunk. @throws P2cError `listing.malformed` with the offset. */
  push(chunk: Buffer): Entry[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const entries: Entry[] = [];
    let start = 0;
    for (;;) {
      const pathEnd = bytes.indexOf(0, start);
      // Most entries are no links.
      const noTarget = pathEnd + 1 < bytes.length && bytes[pathEnd + 1] === 0;
      const targetEnd = pathEnd < 0 ? -1 : noTarget ? pathEnd + 1 : bytes.indexOf(0, pathEnd + 1);
      if (targetEnd < 0) break;
      const entry =
        readFindRecord(bytes, start, pathEnd, targetEnd) ?? this.#otherRecord(bytes, start, pathEnd, targetEnd);
      if (entry !== undefined) entries.push(entry);
      start = targetEnd + 1;
    }
    this.#offset += start;
    // A copy: the chunk it lies in may be large, and is not ours to keep.
    this.#rest = Buffer.from(bytes.subarray(start));
    if (this.#rest.length > LONGEST_RECORD) throw malformed(this.#offset, 'a record of more than 256 KiB', '');
    return entries;
  }

  #otherRecord(bytes: Buffer, start: number, pathEnd: number, targetEnd: number): Entry | undefined {
    const fields = byteString(bytes.subarray(start, pathEnd));
    return parseRecord(fields, byteString(bytes.subarray(pathEnd + 1, targetEnd)), this.#offset + start);
  }

  /** @throws P2cError `listing.truncated` where the last record is not whole. */
  end(): void {
    if (this.#rest.length === 0) return;
    throw new P2cError(`the listing ended inside a record, at byte ${this.#offset + this.#rest.length}`, {
      code: 'listing.truncated',
      hint: 'the connection or the find on the source ended early; run p2c again',
    });
  }
}
