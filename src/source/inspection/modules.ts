/** Modules of the kernel that a server uses and that a container cannot bring: it runs on the kernel of its host. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

interface KernelModule {
  readonly name: string;
  /** How many users the kernel counts; some modules never count any. */
  readonly uses: number;
  /** What it does for the server, and what becomes of that in a container. */
  readonly meaning: string;
  /** True where it is not of the kernel's own tree, or not free: /proc/modules says `(P)` or `(O)`. */
  readonly foreign: boolean;
}

export interface Modules {
  readonly loaded: number;
  readonly ofNote: readonly KernelModule[];
}

export const MODULE_SECTIONS: readonly Section[] = [
  {
    name: 'modules',
    script: 'if [ -e /proc/modules ]; then cat /proc/modules && echo end; elif [ -e /proc/version ]; then echo end; fi',
    maxBytes: 256 * 1024,
  },
];

/** First match counts. What a container is given by its host (ext4, overlay, nf_tables, veth…) is not of note. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/^nfsd$/, 'serves NFS from the kernel: the host must do it'],
  [
    /^(?:nfs|nfsv[34]|cifs|smbfs|ceph|lustre|gfs2?|ocfs2\w*|glusterfs|afs|openafs)$/,
    'mounts network filesystems: the host mounts them, and a volume brings them in',
  ],
  [/^(?:dlm|drbd|ip_vs\w*)$/, 'part of a cluster, in the kernel: it belongs to the host'],
  [/^(?:iscsi_\w+|libiscsi\w*|dm_multipath|qla2xxx|lpfc|bnx2i)$/, 'disks of a storage network: the host attaches them'],
  [/^(?:oracleasm|oracleacfs|oracleoks)$/, "Oracle's own disks: they must become devices of the container, or files"],
  [
    /^(?:emcp\w*|vxio|vxdmp|vxfs|vxspec|mmfs\w*|zfs|spl)$/,
    'a storage or filesystem product with modules of its own: its files can be captured, not its driver',
  ],
  [
    /^(?:tun|tap|ppp_\w+|pppoe|wireguard|l2tp_\w+|pptp)$/,
    'tunnels: the container needs the device (--device /dev/net/tun) and NET_ADMIN',
  ],
  [/^(?:xfrm_\w+|af_key|esp4|ah4|ipsec)$/, 'IPsec: it is the network of the host'],
  [/^(?:openvswitch|8021q|bonding|team\w*|bridge)$/, 'shapes the network: that is set up on the host'],
  [/^(?:sctp|dccp|tipc|can|can_\w+|rds\w*)$/, 'a protocol that the host must have loaded'],
  [
    /^(?:kvm\w*|vboxdrv|vmmon|vmnet)$/,
    'runs virtual machines: the container needs the device, and the host the module',
  ],
  [
    /^(?:aksparlnx|aksusb|hasp\w*|sentinel\w*|usblp|parport_pc|ppdev|wibu\w*)$/,
    'a dongle or printer port, often of a licence',
  ],
  [/^(?:dahdi\w*|zaptel|wct\w+|wanpipe|sangoma|capi\w*|isdn)$/, 'telephony cards: the host must have them'],
  [/^(?:nvidia\w*|amdgpu|fglrx)$/, 'a graphics card that computes: it must be in the host'],
  [/^(?:ipmi_\w+|softdog|iTCO_wdt|hpwdt|hangcheck_timer)$/, 'watches the hardware: it has no meaning in a container'],
  [
    /^(?:fuse|binfmt_misc|loop|autofs4?)$/,
    'mounts from programs: the container needs the device, and SYS_ADMIN to mount',
  ],
  [/^(?:xt_\w+|ipt_\w+|iptable_\w+|ip_tables|ip6table_\w+|nf_tables)$/, ''],
];

/** Modules that count no user while they are in use: what they do has no file that stays open. */
const COUNTLESS =
  /^(?:bonding|8021q|team\w*|bridge|openvswitch|ip_vs\w*|xfrm_\w+|esp4|ah4|af_key|nfsd|softdog|hangcheck_timer)$/;

/** `NAME SIZE USES BY STATE ADDRESS (FLAGS)` (proc(5)); what is loaded and not used is of no note. */
export function readModules(answers: Answers): Fact<Modules> {
  const lines = answers.lines('modules');
  const note = answers.note('modules');
  // A kernel built without modules has no such table.
  if (lines.pop() !== 'end' && note === undefined) return answers.none('/proc/modules cannot be read');
  const ofNote = lines.flatMap((line) => {
    const [name = '', , uses = ''] = line.split(' ');
    const foreign = /\(([A-Z+-]*[PO][A-Z+-]*)\)\s*$/.test(line);
    const known = MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
    const meaning = known ?? (foreign ? "not of the kernel's own: a driver or product that its host lacks" : '');
    const inUse = Number(uses) > 0 || foreign || COUNTLESS.test(name);
    return meaning === '' || !inUse ? [] : [{ name, uses: Number(uses) || 0, meaning, foreign }];
  });
  return known({ loaded: lines.length, ofNote }, note);
}
