/**
 * Snapshots: layers unpacked once, each into a directory of its own, `ROOT/snapshots/sha256/HEX/fs`; those of a user namespace
 * in `sha256-MAP`, for their owners are that map's.
 */

import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { P2cError, systemCode } from '../errors.ts';
import { makeFolder, namesIn } from '../oci/files.ts';
import { ONCE } from '../once.ts';
import { ISOLATION } from './isolation.ts';
import { LayerChecker } from './layer-checker.ts';
import { leftIn, ownedName } from './owned-name.ts';
import type { LayerRoot } from './root-path.ts';
import { idMapKey, inUserNamespace } from './rootless/user-namespace.ts';
import { type StoredLayer, unpackBlob } from './unpack-blob.ts';

/** In a namespace of its own there is the target and nothing else to write to. */
const UNPACK = `${ISOLATION}
set -eu
umask 022
host=
target=$1
p2c_root "$target/root"
mkdir target
mount --bind "$target/fs" target
p2c_enter
mount -o remount,ro /
cd /target
exec tar --numeric-owner -p --xattrs --xattrs-include='*' -xf -
`;

const Marks = z.object({ opaque: z.array(z.string()), leftOut: z.int().default(0) });

/** @param root the store's. */
export function snapshotsFolder(root: string): string {
  const map = idMapKey();
  return join(root, 'snapshots', map === undefined ? 'sha256' : `sha256-${map}`);
}

/**
 * Unpacks a layer unless that was done before. Safe against being killed (a half-unpacked layer has another name) and
 * against others who unpack the same one.
 * @param root the store's root.
 * @param signal ends it; nothing of the layer is left then.
 * @throws P2cError `layer.*`, `snapshot.*`.
 */
export async function unpackLayer(root: string, layer: StoredLayer, signal?: AbortSignal): Promise<LayerRoot> {
  const found = /^sha256:([0-9a-f]{64})$/.exec(layer.digest);
  const hex = found?.[1];
  if (hex === undefined) {
    throw new P2cError(`the layer's digest '${layer.digest}' is no SHA-256`, { code: 'layer.digest' });
  }
  const folder = snapshotsFolder(root);
  const final = join(folder, hex);
  if (!existsSync(final)) {
    await makePrivate(root);
    await removeStale(folder);
    await unpackInto(folder, final, layer, signal);
  }
  return snapshotRoot(root, layer.digest);
}

/** A layer that was unpacked before. */
export async function snapshotRoot(root: string, digest: string): Promise<LayerRoot> {
  const final = finalFolder(root, digest);
  const marks = await readMarks(final);
  return { folder: join(final, 'fs'), opaque: new Set(marks.opaque) };
}

/** @returns how many device nodes the layer has that could not be made where it was unpacked. */
export async function devicesLeftOut(root: string, digest: string): Promise<number> {
  return (await readMarks(finalFolder(root, digest))).leftOut;
}

function finalFolder(root: string, digest: string): string {
  return join(snapshotsFolder(root), digest.replace('sha256:', ''));
}

async function readMarks(final: string): Promise<z.output<typeof Marks>> {
  return Marks.parse(JSON.parse(await readFile(join(final, 'marks.json'), 'utf8')), ONCE);
}

/** Programs of images with set-user-ID are no one's on this machine. */
async function makePrivate(root: string): Promise<void> {
  await makeFolder(snapshotsFolder(root), 0o700);
  await chmod(join(root, 'snapshots'), 0o700);
}

async function unpackInto(
  folder: string,
  final: string,
  layer: StoredLayer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const work = join(folder, `.${ownedName('unpack')}`);
  await mkdir(work, { mode: 0o700 });
  try {
    await mkdir(join(work, 'root'));
    await mkdir(join(work, 'fs'), { mode: 0o755 });
    const checker = new LayerChecker(undefined, inUserNamespace());
    await unpackBlob(layer, checker, { script: UNPACK, words: [work], signal });
    await writeFile(
      join(work, 'marks.json'),
      JSON.stringify({ opaque: [...checker.opaque], leftOut: checker.leftOut }),
    );
    await rm(join(work, 'root'), { recursive: true });
    await rename(work, final);
  } catch (error) {
    await rm(work, { recursive: true, force: true });
    // Another call was faster, and what it unpacked is the same.
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error;
  }
}

/** What a killed call left. */
async function removeStale(folder: string): Promise<void> {
  for (const path of await leftIn(folder)) await rm(path, { recursive: true, force: true });
}

export interface Snapshot {
  readonly digest: string;
  /** Whole, as `unpackLayer` made it. */
  readonly folder: string;
}

export async function listSnapshots(root: string): Promise<Snapshot[]> {
  const folder = snapshotsFolder(root);
  const whole = (await namesIn(folder)).filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
  return whole.map((hex) => ({ digest: `sha256:${hex}`, folder: join(folder, hex) }));
}

/** A snapshot in the process of being removed is none any more. @returns where its files are until they are gone. */
export async function setAside({ folder }: Snapshot): Promise<string> {
  const aside = join(folder, '..', `.${ownedName('gone')}`);
  await rename(folder, aside);
  return aside;
}
