/**
 * The bundle's `config.json` (OCI runtime-spec v1.1, config.md and config-linux.md), as far as p2c writes it. What the
 * specification has no word for stands in its annotations.
 */
import * as z from 'zod';

const rlimit = z.object({ type: z.string(), soft: z.number(), hard: z.number() });

const mount = z.object({
  destination: z.string(),
  /** `bind` for a folder or file of this machine. */
  type: z.string(),
  source: z.string(),
  options: z.array(z.string()),
});
export type Mount = z.output<typeof mount>;

const processSchema = z.object({
  terminal: z.boolean(),
  user: z.object({ uid: z.int(), gid: z.int(), additionalGids: z.array(z.int()) }),
  args: z.array(z.string()),
  env: z.array(z.string()),
  cwd: z.string(),
  capabilities: z.object({
    bounding: z.array(z.string()),
    effective: z.array(z.string()),
    permitted: z.array(z.string()),
  }),
  rlimits: z.array(rlimit),
  noNewPrivileges: z.boolean(),
});
export type ContainerProcess = z.output<typeof processSchema>;

const namespaceSchema = z.object({
  type: z.enum(['pid', 'mount', 'uts', 'ipc', 'network', 'cgroup']),
  /** One that exists already, in place of a new one. */
  path: z.string().optional(),
});

const device = z.object({
  path: z.string(),
  type: z.enum(['c', 'b']),
  major: z.int(),
  minor: z.int(),
  fileMode: z.int(),
  uid: z.int(),
  gid: z.int(),
});
export type Device = z.output<typeof device>;

const deviceRule = z.object({
  allow: z.boolean(),
  type: z.enum(['a', 'c', 'b']).optional(),
  major: z.int().optional(),
  minor: z.int().optional(),
  access: z.string(),
});
export type DeviceRule = z.output<typeof deviceRule>;

const resources = z.object({
  devices: z.array(deviceRule),
  /** Bytes; `swap` is memory and swap together. */
  memory: z.object({ limit: z.int(), swap: z.int().optional() }).optional(),
  /** Microseconds of processor time in each period of microseconds. */
  cpu: z.object({ quota: z.int(), period: z.int() }).optional(),
  pids: z.object({ limit: z.int() }).optional(),
});
export type Resources = z.output<typeof resources>;

const syscallRule = z.object({
  names: z.array(z.string()),
  action: z.string(),
  errnoRet: z.int().optional(),
  args: z.array(z.object({ index: z.int(), value: z.int(), valueTwo: z.int().optional(), op: z.string() })).optional(),
});
export type SyscallRule = z.output<typeof syscallRule>;

const seccomp = z.object({
  defaultAction: z.string(),
  defaultErrnoRet: z.int(),
  architectures: z.array(z.string()),
  syscalls: z.array(syscallRule),
});
export type Seccomp = z.output<typeof seccomp>;

/** Written by this version of p2c and read by it and later ones. */
export const bundleSchema = z.object({
  ociVersion: z.string(),
  process: processSchema,
  root: z.object({ path: z.string(), readonly: z.boolean() }),
  hostname: z.string(),
  mounts: z.array(mount),
  annotations: z.record(z.string(), z.string()),
  linux: z.object({
    namespaces: z.array(namespaceSchema),
    devices: z.array(device),
    /** Below the root of each hierarchy of cgroups. */
    cgroupsPath: z.string(),
    resources,
    seccomp: seccomp.optional(),
    rootfsPropagation: z.literal('rprivate'),
    maskedPaths: z.array(z.string()),
    readonlyPaths: z.array(z.string()),
  }),
});
export type Bundle = z.output<typeof bundleSchema>;

/** The bundle's annotation with the words of `--personality`, for the specification's own field takes one of them only. */
export const PERSONALITY = 'p2c.personality';

/** runtime-spec has no word for "unlimited": it is RLIM_INFINITY, 2^64 - 1, which rounds to this number. */
export const RLIM_INFINITY = 2 ** 64;

/** As JSON: RLIM_INFINITY is written out, for its rounded form is beyond what a runtime's 64 bits hold. */
export function specText(value: Bundle | ContainerProcess): string {
  const text = JSON.stringify(value, undefined, 2);
  return text.replace(/("(?:soft|hard)": )18446744073709552000/g, '$118446744073709551615');
}
