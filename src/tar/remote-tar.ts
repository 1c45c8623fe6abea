/** The tar command that runs on a source: it reads names from standard input and takes just these. */

/** What the source's tar can do, as far as the command depends on it. */
export interface TarAbilities {
  readonly noUnquote: boolean;
  readonly posixFormat: boolean;
  readonly xattrs: boolean;
  readonly xattrsInclude: boolean;
}

/**
 * A script that streams the paths given on standard input, relative to `/` and separated by NULs.
 *
 * - `--format=posix` holds names of any length, ids of any size and nanoseconds. Access and change times are left out
 *   of it, and the names of extended headers made stable, so that an unchanged source gives the same bytes twice.
 * - `--xattrs-include='*'`: without it GNU tar takes `user.*` only, and file capabilities are lost.
 * - `--ignore-failed-read`: a file that cannot be read is told by name and by its absence; the rest goes on.
 * - `hardDereference`: names of one file come as files, each with the content (for links whose target is not in the layer).
 * - `sparse`: files with holes come as a map and their data, in pax headers.
 * - `--no-unquote`: before 1.29, GNU tar takes backslashes in names for escapes, `--null` or not (names.c, unquote_option).
 * - A blocking factor of 128 (64 KiB writes) saves a third of the system calls of tar's default 20.
 */
export function remoteTarScript(tar: TarAbilities, { hardDereference = false, sparse = false } = {}): string {
  const options = [
    '--create',
    '--file=-',
    '--no-recursion',
    '--numeric-owner',
    '--ignore-failed-read',
    '--blocking-factor=128',
  ];
  if (hardDereference) options.push('--hard-dereference');
  if (sparse) options.push('--sparse', '--sparse-version=1.0');
  if (tar.posixFormat) {
    options.push('--format=posix', "--pax-option='exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'");
  }
  if (tar.xattrs) options.push('--xattrs');
  if (tar.xattrsInclude) options.push("--xattrs-include='*'", "--xattrs-exclude='security.selinux'");
  if (tar.noUnquote) options.push('--no-unquote');
  return `cd / && exec tar ${options.join(' ')} --null --files-from=-`;
}
