/** The runners that scripts/bench-runtime compares, each with the same image: what one calls to run it and to remove it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { digestOfHex } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';

export const IMAGE = 'bench:latest';
export const NETWORK = 'bench';
/** What a container says at once, and is done. */
const SHORT = ['echo', 'ready'] as const;
/** What runs until it is removed. */
const LONG = ['sleep', '1000'] as const;

export interface Runner {
  readonly name: string;
  /** Runs a container that speaks and ends, and removes it; `name` is new each time. */
  once(name: string): readonly string[];
  /** Starts one in the background. */
  start(name: string): readonly string[];
  remove(name: string): readonly string[];
}

/** A root of busybox alone, and its tar. */
export function makeRoot(work: string): { root: string; tar: string } {
  const root = join(work, 'root');
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync('/bin/busybox', join(root, 'bin/busybox'));
  for (const [applet] of [SHORT, LONG]) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n');
  const tar = join(work, 'root.tar');
  execFileSync('tar', ['--format=pax', '--owner=0', '--group=0', '-C', root, '-cf', tar, '.']);
  return { root, tar };
}

export function p2cRunner(
  engine: 'namespaces' | 'runc',
  { network, root }: { network?: string; root: string },
): Runner {
  const p2c = ['env', `P2C_ROOT=${root}`, process.execPath, 'dist/cli.cjs'];
  const run = [...p2c, 'run', '--engine', engine, ...(network === undefined ? [] : ['--network', network])];
  return {
    name: `p2c --engine ${engine}${network === undefined ? '' : ' --network'}`,
    once: (name) => [...run, '--rm', '--name', name, IMAGE, ...SHORT],
    start: (name) => [...run, '-d', '--name', name, IMAGE, ...LONG],
    remove: (name) => [...p2c, 'rm', '-f', name],
  };
}

export async function makeStore(root: string, tar: string): Promise<void> {
  await using store = await ImageStore.open(root, { create: true });
  await using blob = await store.createBlob();
  const bytes = readFileSync(tar);
  await blob.write([bytes]);
  const { digest, size } = await blob.commit();
  const diffID = digestOfHex(createHash('sha256').update(bytes).digest('hex'));
  await store.addImage({
    reference: parseReference(IMAGE),
    layers: [{ mediaType: MediaType.layerTar, digest, diffID, size }],
    config: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      os: 'linux',
      config: {},
      rootfs: { type: 'layers', diff_ids: [diffID] },
    },
  });
}

/** On a plain folder, without an overlay: what a container costs where nobody makes it a root. */
export function runcRunner(work: string, root: string): Runner {
  const short = makeBundle(join(work, 'short'), root, SHORT);
  const long = makeBundle(join(work, 'long'), root, LONG);
  const runc = ['runc', '--root', join(work, 'runc')];
  return {
    name: 'runc',
    once: (name) => [...runc, 'run', '--bundle', short, name],
    start: (name) => [...runc, 'run', '--detach', '--bundle', long, name],
    remove: (name) => [...runc, 'delete', '--force', name],
  };
}

const specSchema = z.looseObject({ process: z.looseObject({}), root: z.looseObject({}) });

function makeBundle(folder: string, root: string, args: readonly string[]): string {
  mkdirSync(folder);
  execFileSync('runc', ['spec', '--bundle', folder]);
  const file = join(folder, 'config.json');
  const spec = specSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  const process = { ...spec.process, terminal: false, args };
  writeFileSync(file, JSON.stringify({ ...spec, process, root: { path: root, readonly: false } }));
  return folder;
}

/** A podman of its own: nothing of it reaches the machine's images. */
export function podmanRunner(work: string, tar: string): Runner {
  const own = ['--root', join(work, 'podman'), '--runroot', join(work, 'podman-run')];
  const podman = ['podman', ...own, '--events-backend', 'file', '--cgroup-manager', 'cgroupfs', '--runtime', 'runc'];
  execFileSync('podman', [...podman.slice(1), 'import', tar, IMAGE], { stdio: 'ignore' });
  const run = [...podman, 'run', '--network', 'none'];
  return {
    name: 'podman --runtime runc',
    once: (name) => [...run, '--rm', '--name', name, IMAGE, ...SHORT],
    start: (name) => [...run, '-d', '--name', name, IMAGE, ...LONG],
    remove: (name) => [...podman, 'rm', '--force', '--time', '0', name],
  };
}
