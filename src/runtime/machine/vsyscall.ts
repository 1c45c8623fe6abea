/** How this machine's kernel answers the calls that programs of glibc before 2.14 make through a fixed page. */

/**
 * `emulate` and `xonly` run such programs; `none` ends each of them with SIGSEGV (exit code 139); `not needed` where the
 * architecture has no such page (kernel-parameters.txt, `vsyscall=`).
 */
export type Vsyscall = 'emulate' | 'xonly' | 'none' | 'not needed';

/** @param maps the text of /proc/self/maps; @param architecture as `uname -m` says. */
export function vsyscallMode(maps: string, architecture: string): Vsyscall {
  if (architecture !== 'x86_64') return 'not needed';
  const line = maps.split('\n').find((each) => each.endsWith('[vsyscall]'));
  if (line === undefined) return 'none';
  return line.split(' ')[1]?.startsWith('r') === true ? 'emulate' : 'xonly';
}
