/** The bundle against the rules of the runtime-spec (v1.1, config.md and config-linux.md), written down here anew. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { makeBundle } from '../../src/runtime/bundle/make.ts';
import { bootedOptions } from '../../src/runtime/init/booted.ts';
import type { RunOptions } from '../../src/runtime/options.ts';
import { type Bundle, specText } from '../../src/runtime/spec.ts';
import { parseTmpfs } from '../../src/runtime/tmpfs.ts';
import { parseUlimit } from '../../src/runtime/ulimit.ts';
import { NO_WISH } from '../helpers/network-wish.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { storeWith } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const absolute = z.string().startsWith('/');
const id = z.int().min(0).max(0xffffffff);
const capability = z.string().regex(/^CAP_[A-Z_]+$/);
const unique = <T>(values: readonly T[]): boolean => new Set(values).size === values.length;

const specProcess = z.strictObject({
  terminal: z.boolean().optional(),
  user: z.strictObject({ uid: id, gid: id, umask: id.optional(), additionalGids: z.array(id).optional() }),
  cwd: absolute,
  env: z.array(z.string().regex(/^[^=]+=/)),
  args: z.array(z.string()).min(1),
  capabilities: z.partialRecord(
    z.enum(['effective', 'bounding', 'inheritable', 'permitted', 'ambient']),
    z.array(capability),
  ),
  // The type MUST be one of getrlimit(2), and no two entries may have the same.
  rlimits: z
    .array(z.strictObject({ type: z.string().regex(/^RLIMIT_[A-Z]+$/), soft: z.number(), hard: z.number() }))
    .refine((limits) => unique(limits.map(({ type }) => type)) && limits.every(({ soft, hard }) => soft <= hard)),
  noNewPrivileges: z.boolean(),
});

const device = z.strictObject({
  type: z.enum(['c', 'b', 'u', 'p']),
  path: absolute,
  major: z.int(),
  minor: z.int(),
  fileMode: z.int().max(0o7777),
  uid: id,
  gid: id,
});

const comparison = z.enum(['NE', 'LT', 'LE', 'EQ', 'GE', 'GT', 'MASKED_EQ'].map((word) => `SCMP_CMP_${word}`));
const seccomp = z.strictObject({
  defaultAction: z.literal('SCMP_ACT_ERRNO'),
  defaultErrnoRet: z.int(),
  architectures: z.array(z.string().regex(/^SCMP_ARCH_[A-Z0-9_]+$/)),
  syscalls: z.array(
    z.strictObject({
      names: z.array(z.string()).min(1),
      action: z.enum(['SCMP_ACT_ALLOW', 'SCMP_ACT_ERRNO']),
      errnoRet: z.int().optional(),
      args: z
        .array(z.strictObject({ index: z.int(), value: z.int(), valueTwo: z.int().optional(), op: comparison }))
        .optional(),
    }),
  ),
});

const specBundle = z.strictObject({
  ociVersion: z.string().regex(/^1\.[0-9]+\.[0-9]+$/),
  root: z.strictObject({ path: z.string().min(1), readonly: z.boolean() }),
  mounts: z.array(
    z.strictObject({ destination: absolute, type: z.string(), source: z.string(), options: z.array(z.string()) }),
  ),
  process: specProcess,
  hostname: z.string(),
  annotations: z.record(z.string().min(1), z.string()),
  linux: z.strictObject({
    // No namespace twice, and a path is absolute.
    namespaces: z
      .array(
        z.strictObject({
          type: z.enum(['pid', 'network', 'mount', 'ipc', 'uts', 'user', 'cgroup']),
          path: absolute.optional(),
        }),
      )
      .refine((namespaces) => unique(namespaces.map(({ type }) => type))),
    devices: z.array(device).refine((devices) => unique(devices.map(({ path }) => path))),
    cgroupsPath: absolute,
    resources: z.strictObject({
      devices: z.array(
        z.strictObject({
          allow: z.boolean(),
          type: z.enum(['a', 'c', 'b']).optional(),
          major: z.int().optional(),
          minor: z.int().optional(),
          access: z.string().regex(/^[rwm]{1,3}$/),
        }),
      ),
      memory: z.strictObject({ limit: z.int(), swap: z.int().optional() }).optional(),
      cpu: z.strictObject({ quota: z.int(), period: z.int().positive() }).optional(),
      pids: z.strictObject({ limit: z.int() }).optional(),
    }),
    seccomp: seccomp.optional(),
    rootfsPropagation: z.enum(['shared', 'slave', 'private', 'unbindable', 'rprivate']),
    maskedPaths: z.array(absolute),
    readonlyPaths: z.array(absolute),
  }),
});

const NO_NETWORK = { ...NO_WISH, networks: ['none'] };

const PLAIN: RunOptions = {
  command: ['true'],
  environment: [],
  terminal: false,
  interactive: false,
  privileged: false,
  capAdd: [],
  capDrop: [],
  devices: [],
  readOnly: false,
  personality: [],
  shmSize: 1024,
  ulimits: [],
  volumes: [],
  tmpfs: [],
  network: NO_NETWORK,
};

const WAYS: Readonly<Record<string, Partial<RunOptions>>> = {
  'nothing asked for': {},
  privileged: { privileged: true, network: { ...NO_NETWORK, networks: ['host'] } },
  'limits and volumes': {
    memory: 1024 ** 3,
    cpus: 1.5,
    pidsLimit: 100,
    ulimits: [parseUlimit('core=0'), parseUlimit('nofile=100:200')],
    volumes: [{ source: '/usr', sourceIsDirectory: true, destination: '/data', readOnly: true }],
    tmpfs: [parseTmpfs('/run:size=1m,mode=755')],
    readOnly: true,
    terminal: true,
    environment: ['A=b', 'EMPTY='],
    capDrop: ['all'],
    personality: ['uname26', 'ia32'],
  },
};

async function bundleOf(t: ExecutionContext, options: RunOptions): Promise<Bundle> {
  const { image } = await storeWith(t, [rawTar([])], { Env: ['X=1', 'no assignment'] });
  const folder = await temporaryFolder(t);
  for (const name of ['etc', 'run', 'tmp']) mkdirSync(join(folder, name));
  return makeBundle('0'.repeat(64), '/folder', image, [{ folder, opaque: new Set() }], options);
}

for (const [what, options] of Object.entries(WAYS)) {
  test(`config.json is what the specification asks for: ${what}`, async (t) => {
    const bundle = await bundleOf(t, { ...PLAIN, ...options });
    const checked = specBundle.safeParse(JSON.parse(specText(bundle)));
    t.true(checked.success, String(checked.error));
  });
}

test('an unlimited limit is written as the 64 bits it has', async (t) => {
  const bundle = await bundleOf(t, PLAIN);
  const soft = 2 ** 64;
  const unlimited = { ...bundle.process, rlimits: [{ type: 'RLIMIT_CORE', soft, hard: soft }] };
  t.regex(specText(unlimited), /"soft": 18446744073709551615,\s+"hard": 18446744073709551615/);
});

test('a system’s own /run gives way to a volume that lies there by a link', async (t) => {
  const { image } = await storeWith(t, [rawTar([])]);
  const folder = await temporaryFolder(t);
  for (const name of ['etc', 'run', 'var']) mkdirSync(join(folder, name));
  symlinkSync('../run', join(folder, 'var/run'));
  const layers = [{ folder, opaque: new Set<string>() }];
  const volumes = [{ source: '/srv', sourceIsDirectory: true, destination: '/var/run', readOnly: false }];
  const boot = { mode: 'system', init: 'sysvinit', cgroups: undefined, why: '' } as const;
  const { mounts } = makeBundle(
    '0'.repeat(64),
    '/folder',
    image,
    layers,
    bootedOptions(boot, image, layers, { ...PLAIN, volumes }),
  );
  const below = mounts.filter(({ destination }) => destination.startsWith('/run'));
  t.deepEqual(
    below.map(({ destination, type }) => [destination, type]),
    [
      ['/run', 'bind'],
      ['/run/lock', 'tmpfs'],
    ],
  );
});
