/** Programs that p2c calls on this machine: what each is for, and the package that brings it. */
import { P2cError } from '../../errors.ts';
import { findProgram } from '../host-program.ts';

export interface NeededProgram {
  readonly name: string;
  /** Its path; null where it is not installed. */
  readonly path: string | null;
  readonly purpose: string;
  /** Debian's name of the package; other distributions have nearly the same. */
  readonly package: string;
  /** False where p2c does without, and says what is then lacking. */
  readonly required: boolean;
}

const RUNNER = 'running containers';

/** name, package, purpose, required */
const PROGRAMS: readonly (readonly [string, string, string, boolean])[] = [
  ['unshare', 'util-linux', RUNNER, true],
  ['nsenter', 'util-linux', RUNNER, true],
  ['setpriv', 'util-linux', RUNNER, true],
  ['mount', 'mount', RUNNER, true],
  ['pivot_root', 'util-linux', RUNNER, true],
  ['prlimit', 'util-linux', 'limits of containers', false],
  ['setarch', 'util-linux', "old programs that want a kernel named 2.6: 'setarch --uname-2.6'", false],
  ['tar', 'tar', 'unpacking layers', true],
  ['ldd', 'libc-bin', RUNNER, true],
  ['ip', 'iproute2', 'networks of containers', false],
  ['iptables', 'iptables', 'published ports (CNI portmap)', false],
  ['script', 'bsdutils', 'terminals of containers', false],
  ['ssh', 'openssh-client', "aliases of ssh_config ('ssh -G')", false],
  ['newuidmap', 'uidmap', 'containers without root', false],
  ['hostname', 'hostname', 'containers without root', false],
  ['catatonit', 'catatonit', "a small init for '--init none'", false],
  ['zstd', 'zstd', 'fast compression', false],
];

export function neededPrograms(): NeededProgram[] {
  return PROGRAMS.map(([name, packageName, purpose, required]) => ({
    name,
    path: pathOf(name),
    purpose,
    package: packageName,
    required,
  }));
}

/** @returns null where it is not installed. */
export function pathOf(name: string): string | null {
  try {
    return findProgram(name);
  } catch (error) {
    if (error instanceof P2cError) return null;
    throw error;
  }
}
