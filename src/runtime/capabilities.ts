/** Capabilities of a container (capabilities(7)): what root in it may still do. */
import { readFileSync } from 'node:fs';
import { usageError } from '../errors.ts';

/** In the kernel's order: the index is the number. */
const ALL = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_SETGID',
  'CAP_SETUID',
  'CAP_SETPCAP',
  'CAP_LINUX_IMMUTABLE',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_ADMIN',
  'CAP_NET_RAW',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_SYS_MODULE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_CHROOT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_PACCT',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_NICE',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_MKNOD',
  'CAP_LEASE',
  'CAP_AUDIT_WRITE',
  'CAP_AUDIT_CONTROL',
  'CAP_SETFCAP',
  'CAP_MAC_OVERRIDE',
  'CAP_MAC_ADMIN',
  'CAP_SYSLOG',
  'CAP_WAKE_ALARM',
  'CAP_BLOCK_SUSPEND',
  'CAP_AUDIT_READ',
  'CAP_PERFMON',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
] as const;
type Capability = (typeof ALL)[number];

/**
 * podman's default set, and what an old system needs beyond it: its init makes device nodes (all filesystems of a
 * container are `nodev`, so that none can be opened), pings, writes audit records when a user logs in, and ends by
 * reboot(2), which in a PID namespace ends that namespace only.
 */
const SYSTEM_CONTAINER: readonly Capability[] = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
  'CAP_MKNOD',
  'CAP_NET_RAW',
  'CAP_AUDIT_WRITE',
  'CAP_SYS_BOOT',
];

/**
 * What a container gets: all that p2c itself has if privileged, else those of a system container which p2c has, for
 * nobody can hand on more (p2c may itself run in a container); and what the user adds and takes away. As podman, a
 * capability that is dropped by name stays away when all are added, and the other way round.
 * @throws P2cError `runtime.capability` (usage): an unknown name, or one added that p2c itself has not.
 */
export function containerCapabilities({ privileged, capAdd, capDrop }: CapabilityWishes): Capability[] {
  const own = ownSet('CapBnd');
  const has = (name: Capability): boolean => ((own >> BigInt(ALL.indexOf(name))) & 1n) === 1n;
  const [added, dropped] = [parseWishes('--cap-add', capAdd), parseWishes('--cap-drop', capDrop)];
  const missing = added === 'all' ? undefined : added.find((name) => !has(name));
  if (missing !== undefined) {
    throw usageError(`--cap-add ${missing}: p2c itself has it not`, {
      code: 'runtime.capability',
      hint: 'who starts p2c must give it that capability',
    });
  }
  const isKept = (name: Capability): boolean => {
    if (dropped !== 'all' && dropped.includes(name)) return false;
    if (added === 'all' || added.includes(name)) return true;
    return dropped !== 'all' && (privileged || SYSTEM_CONTAINER.includes(name));
  };
  return ALL.filter((name) => has(name) && isKept(name));
}

interface CapabilityWishes {
  readonly privileged: boolean;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
}

/** `SYS_PTRACE`, `cap_sys_ptrace`, `all`. */
function parseWishes(option: string, words: readonly string[]): 'all' | Capability[] {
  const names = words.map((word) => word.toUpperCase());
  if (names.includes('ALL')) return 'all';
  return names.map((name, at) => {
    const found = ALL.find((known) => known === name || known === `CAP_${name}`);
    if (found !== undefined) return found;
    throw usageError(`${option} '${words[at]}' is no capability`, {
      code: 'runtime.capability',
      hint: 'a name of capabilities(7), with CAP_ or without, or all',
    });
  });
}

/** Whether p2c itself has it now. */
export function hasCapability(name: Capability): boolean {
  return ((ownSet('CapEff') >> BigInt(ALL.indexOf(name))) & 1n) === 1n;
}

function ownSet(which: 'CapBnd' | 'CapEff'): bigint {
  const found = new RegExp(`^${which}:\\s*([0-9a-f]+)$`, 'm').exec(readFileSync('/proc/self/status', 'latin1'));
  return BigInt(`0x${found?.[1] ?? '0'}`);
}

/** The options of setpriv(1) that leave a process, and all it starts, these capabilities and no more. */
export function setprivOptions(capabilities: readonly string[]): string[] {
  const kept = capabilities.map((name) => `,+${name.slice('CAP_'.length).toLowerCase()}`).join('');
  // The inheritable set stays empty: a full one let programs with file capabilities gain them (CVE-2022-29162).
  return ['--inh-caps=-all', `--bounding-set=-all${kept}`];
}

/** Sets as capset(2) takes them: 32 bits and 32 more. */
export function capabilityMask(capabilities: readonly string[]): { low: number; high: number } {
  const bits = ALL.flatMap((name, bit) => (capabilities.includes(name) ? [bit] : []));
  const half = (from: number): number =>
    bits.filter((bit) => bit >= from && bit < from + 32).reduce((sum, bit) => sum + 2 ** (bit - from), 0);
  return { low: half(0), high: half(32) };
}
