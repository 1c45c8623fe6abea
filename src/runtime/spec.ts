/** The bundle's `config.json` (OCI runtime-spec v1.1, config.md and config-linux.md), as far as p2c writes it. */
import { z } from 'zod';

const rlimit = z.object({ type: z.string(), soft: z.number(), hard: z.number() });

const mount = z.object({
  destination: z.string(),
  type: z.string().optional(),
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

/** Written by this version of p2c and read by it and later ones. */
export const bundleSchema = z.object({
  ociVersion: z.string(),
  process: processSchema,
  root: z.object({ path: z.string(), readonly: z.boolean() }),
  hostname: z.string(),
  mounts: z.array(mount),
  linux: z.object({
    namespaces: z.array(z.object({ type: z.enum(['pid', 'mount', 'uts', 'ipc', 'network']) })),
    maskedPaths: z.array(z.string()),
    readonlyPaths: z.array(z.string()),
  }),
});
export type Bundle = z.output<typeof bundleSchema>;

/** runtime-spec has no word for "unlimited": it is RLIM_INFINITY, 2^64 - 1, which rounds to this number. */
export const RLIM_INFINITY = 2 ** 64;
