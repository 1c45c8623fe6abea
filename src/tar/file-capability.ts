/**
 * File capabilities: from the text of getcap (cap_to_text(3), "Textual Representation") to the binary extended attribute
 * `security.capability` (include/uapi/linux/capability.h, struct vfs_ns_cap_data).
 */

/** By number (capabilities(7)). */
const NAMES = [
  ...['chown', 'dac_override', 'dac_read_search', 'fowner', 'fsetid', 'kill', 'setgid', 'setuid', 'setpcap'],
  ...['linux_immutable', 'net_bind_service', 'net_broadcast', 'net_admin', 'net_raw', 'ipc_lock', 'ipc_owner'],
  ...['sys_module', 'sys_rawio', 'sys_chroot', 'sys_ptrace', 'sys_pacct', 'sys_admin', 'sys_boot', 'sys_nice'],
  ...['sys_resource', 'sys_time', 'sys_tty_config', 'mknod', 'lease', 'audit_write', 'audit_control', 'setfcap'],
  ...['mac_override', 'mac_admin', 'syslog', 'wake_alarm', 'block_suspend', 'audit_read', 'perfmon', 'bpf'],
  'checkpoint_restore',
];
const ALL = (1n << BigInt(NAMES.length)) - 1n;
const LOW = 0xffffffffn;
const REVISION_2 = 0x02000000;
const REVISION_3 = 0x03000000;
const EFFECTIVE = 1;

interface Sets {
  permitted: bigint;
  inheritable: bigint;
  effective: bigint;
}

/** @returns the attribute's value; undefined where the text is none that getcap writes. */
export function binaryCapability(text: string): Buffer | undefined {
  const sets: Sets = { permitted: 0n, inheritable: 0n, effective: 0n };
  const [, clauses = '', rootId] = /^(.*?)(?: \[rootid=([0-9]{1,10})\])?$/s.exec(text.trim()) ?? [];
  const words = clauses.split(/\s+/).filter((word) => word !== '');
  if (words.length === 0 || !words.every((word) => applyClause(word, sets))) return undefined;
  return encode(sets, rootId === undefined ? undefined : Number(rootId));
}

/** `cap_kill,cap_chown+ei`, `cap_kill=ep`, `=ep` for all. */
function applyClause(clause: string, sets: Sets): boolean {
  const [, names = '', actions = ''] = /^([a-z0-9_,]*)((?:[+=-][eip]*)+)$/i.exec(clause) ?? [];
  const mask = maskOf(names);
  if (actions === '' || mask === undefined) return false;
  for (const [, operator, flags = ''] of actions.matchAll(/([+=-])([eip]*)/g)) {
    for (const [letter, set] of [
      ['p', 'permitted'],
      ['i', 'inheritable'],
      ['e', 'effective'],
    ] as const) {
      const named = flags.includes(letter);
      if (operator === '=' || (operator === '-' && named)) sets[set] &= ~mask;
      if (operator !== '-' && named) sets[set] |= mask;
    }
  }
  return true;
}

function maskOf(names: string): bigint | undefined {
  if (names === '' || names.toLowerCase() === 'all') return ALL;
  let mask = 0n;
  for (const name of names.toLowerCase().split(',')) {
    // What the source's library has no name for is a number.
    const number = /^[0-9]{1,2}$/.test(name) ? Number(name) : NAMES.indexOf(name.replace(/^cap_/, ''));
    if (number < 0 || number > 63) return undefined;
    mask |= 1n << BigInt(number);
  }
  return mask;
}

function encode({ permitted, inheritable, effective }: Sets, rootId: number | undefined): Buffer {
  const value = Buffer.alloc(rootId === undefined ? 20 : 24);
  const revision = rootId === undefined ? REVISION_2 : REVISION_3;
  value.writeUInt32LE((revision | (effective === 0n ? 0 : EFFECTIVE)) >>> 0, 0);
  value.writeUInt32LE(Number(permitted & LOW), 4);
  value.writeUInt32LE(Number(inheritable & LOW), 8);
  value.writeUInt32LE(Number((permitted >> 32n) & LOW), 12);
  value.writeUInt32LE(Number((inheritable >> 32n) & LOW), 16);
  if (rootId !== undefined) value.writeUInt32LE(rootId >>> 0, 20);
  return value;
}
