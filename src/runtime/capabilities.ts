/** Capabilities of a container (capabilities(7)): what root in it may still do. */
import { readFileSync } from 'node:fs';

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
 * nobody can hand on more (p2c may itself run in a container).
 */
export function containerCapabilities(privileged: boolean): Capability[] {
  const own = ownSet('CapBnd');
  return ALL.filter(
    (name, bit) => ((own >> BigInt(bit)) & 1n) === 1n && (privileged || SYSTEM_CONTAINER.includes(name)),
  );
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
