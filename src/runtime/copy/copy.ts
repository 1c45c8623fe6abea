/** Copies files between this machine and a container, whether it runs or not. */
import { spawn } from 'node:child_process';
import { lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemCode, usageError } from '../../errors.ts';
import type { ByteString } from '../../printable.ts';
import { type Container, readBundle } from '../container.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import type { ProcessIdentity } from '../process.ts';
import type { Resolved } from '../root-path.ts';
import { excludeKernelFiles, kernelMountOf, mountsOf, refuseKernelFile } from './kernel-files.ts';
import { resolveLive, runningInit, startLive } from './live.ts';
import { isBrokenPipe, unpackedIn } from './unpacked-in.ts';
import { endOf, resolveInContainer, startInView } from './view.ts';
import { withoutDevices } from './without-devices.ts';
import { type Kind, type Plan, packWords, parentOf, planCopy, unpackWords, WITHOUT_RIGHTS } from './words.ts';

export interface CopyOptions {
  /** Whether what is copied belongs to whoever it is copied to, without set-ID bits and capabilities; else owners stay, by number. */
  readonly archive: boolean;
}

/**
 * @param to a path here, or `-` for a tar stream to standard output.
 * @returns the device nodes that were left out: here they would be this machine's. A tar stream has them.
 * @throws P2cError `copy.*`.
 */
export async function copyOut(
  container: Container,
  path: string,
  to: string,
  options: CopyOptions,
): Promise<readonly ByteString[]> {
  const init = await runningInit(container);
  const source = { ...(await found(container, init, path, 'source')), content: isContent(path), text: path };
  if (to === '-') {
    if (source.kind === 'missing')
      throw usageError(`'${path}' does not exist in the container`, { code: 'copy.place' });
    const name = source.path.split('/').at(-1) || '.';
    const plan = { folder: name === '.' ? '/' : parentOf(source.path), member: name, name, into: '' };
    const { output, ended } = await packed(container, init, plan, []);
    await pipeline(output, process.stdout, { end: false });
    await ended;
    return [];
  }
  const plan = planCopy(source, here(to));
  const pack = await packed(container, init, plan, options.archive ? WITHOUT_RIGHTS : []);
  // The root has no name to be unpacked by.
  mkdirSync(plan.into, { recursive: true });
  const owner = options.archive ? ['--no-same-owner'] : [];
  const unpack = onHost(unpackWords(plan.into, '', owner));
  const left: ByteString[] = [];
  const harmless = withoutDevices(pack.output, (name) => left.push(name));
  await joined(harmless, unpack.input, [pack.ended, unpack.ended]);
  return left;
}

/** @param from a path here, or `-` for a tar stream from standard input. @throws P2cError `copy.*`. */
export async function copyIn(container: Container, from: string, path: string, options: CopyOptions): Promise<void> {
  const init = await runningInit(container);
  const place = await found(container, init, path, 'destination');
  const above = (await found(container, init, parentOf(place.path), 'destination')).kind;
  const { user } = (await readBundle(container.folder)).process;
  const destination = { ...place, above, text: path };
  if (from === '-') {
    if (place.kind !== 'directory') throw usageError(`'${path}' is no folder in the container`, { code: 'copy.place' });
    return unpackedIn(container, place.path, async (sink) => pipeline(process.stdin, sink));
  }
  const source = here(from);
  const plan = planCopy({ ...source, content: isContent(from) }, destination);
  const owner = options.archive ? [`--owner=:${user.uid}`, `--group=:${user.gid}`, ...WITHOUT_RIGHTS] : [];
  await unpackedIn(container, plan.into, (sink) => {
    // Started where it is read: Node drops what a program said that has ended before anybody listened.
    const pack = onHost(packWords(plan, '', owner));
    return joined(pack.output, sink, [pack.ended]);
  });
}

/** Of one that runs, what it sees itself; of another, its root and its volumes. */
async function packed(
  container: Container,
  init: ProcessIdentity | undefined,
  plan: Plan,
  more: readonly string[],
): Promise<{ output: Readable; ended: Promise<void> }> {
  if (init === undefined) return startInView(container, 'ro', packWords(plan, '/c', more));
  const excluded = excludeKernelFiles(mountsOf(init.pid), plan.folder);
  const words = packWords({ ...plan, folder: '' }, '.', [...excluded, ...more]);
  return startLive(container, init, plan.folder, words);
}

/** @throws P2cError `copy.kernel` for what no tar can carry. */
async function found(
  container: Container,
  init: ProcessIdentity | undefined,
  path: string,
  side: 'source' | 'destination',
): Promise<Resolved> {
  if (init === undefined) return resolveInContainer(container, path);
  const resolved = resolveLive(container, init, path);
  const mount = kernelMountOf(mountsOf(init.pid), resolved.path);
  if (mount !== undefined && (side === 'destination' || resolved.kind !== 'missing')) {
    refuseKernelFile(container.definition.name, resolved.path, mount, side === 'destination');
  }
  return resolved;
}

function onHost([program = '', ...words]: readonly string[]): {
  input: Writable;
  output: Readable;
  ended: Promise<void>;
} {
  const child = spawn(findProgram(program), words, { env: HOST_ENVIRONMENT, cwd: '/', stdio: 'pipe' });
  child.stdin.on('error', () => {});
  return { input: child.stdin, output: child.stdout, ended: endOf(child, 'tar') };
}

/** What one end says of its failure is why the other's pipe broke; a tar may also be content before the pipe's last word. */
async function joined(source: AsyncIterable<Buffer>, sink: Writable, ends: readonly Promise<void>[]): Promise<void> {
  const piped = await pipeline(source, sink).catch((error: unknown) => error ?? new Error('unknown'));
  await Promise.all(ends);
  if (piped !== undefined && !isBrokenPipe(piped)) throw piped;
}

function isContent(path: string): boolean {
  return path.endsWith('/.');
}

/** A path of this machine. */
function here(text: string): { path: string; kind: Kind; above: Kind; text: string } {
  const path = resolve(isAbsolute(text) ? text : join(process.cwd(), text));
  const real = kindOf(path) === 'missing' ? path : realpathSync(path);
  return { path: real, kind: kindOf(real), above: kindOf(parentOf(real)), text };
}

function kindOf(path: string): Kind {
  try {
    return statSync(path).isDirectory() ? 'directory' : 'file';
  } catch (error) {
    if (!['ENOENT', 'ENOTDIR'].includes(systemCode(error) ?? '')) throw error;
    // A link that leads nowhere is there all the same.
    return lstatSync(path, { throwIfNoEntry: false }) === undefined ? 'missing' : 'file';
  }
}
