/** Copies files between this machine and a container, whether it runs or not. */
import { spawn } from 'node:child_process';
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { P2cError, systemCode, usageError } from '../../errors.ts';
import { lockContainer } from '../claim.ts';
import { type Container, readBundle, readState } from '../container.ts';
import { execInContainer } from '../exec.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { rootOf } from '../place.ts';
import { endOf, resolveInContainer, startInView } from './view.ts';
import { type Kind, packWords, parentOf, planCopy, unpackWords } from './words.ts';

export interface CopyOptions {
  /** Whether what is copied belongs to whoever it is copied to; else owners stay, by number. */
  readonly archive: boolean;
}

/** @param to a path here, or `-` for a tar stream to standard output. @throws P2cError `copy.*`. */
export async function copyOut(container: Container, path: string, to: string, options: CopyOptions): Promise<void> {
  const source = { ...(await resolveInContainer(container, path)), content: isContent(path), text: path };
  if (to === '-') {
    if (source.kind === 'missing')
      throw usageError(`'${path}' does not exist in the container`, { code: 'copy.place' });
    const name = source.path.split('/').at(-1) || '.';
    const plan = { folder: name === '.' ? '/' : parentOf(source.path), member: name, name, into: '' };
    const { output, ended } = await startInView(container, 'ro', packWords(plan, '/c', []));
    await pipeline(output, process.stdout, { end: false });
    return ended;
  }
  const plan = planCopy(source, here(to));
  const pack = await startInView(container, 'ro', packWords(plan, '/c', []));
  const owner = options.archive ? ['--no-same-owner'] : [];
  const unpack = onHost(unpackWords(plan.into, '', owner));
  await joined(pack.output, unpack.input, [pack.ended, unpack.ended]);
}

/** @param from a path here, or `-` for a tar stream from standard input. @throws P2cError `copy.*`. */
export async function copyIn(container: Container, from: string, path: string, options: CopyOptions): Promise<void> {
  const found = await resolveInContainer(container, path);
  const above = (await resolveInContainer(container, parentOf(found.path))).kind;
  const { user } = (await readBundle(container.folder)).process;
  const destination = { ...found, above, text: path };
  if (from === '-') {
    if (found.kind !== 'directory') throw usageError(`'${path}' is no folder in the container`, { code: 'copy.place' });
    return unpackedIn(container, found.path, async (sink) => pipeline(process.stdin, sink));
  }
  const source = here(from);
  const plan = planCopy({ ...source, content: isContent(from) }, destination);
  const owner = options.archive ? [`--owner=+${user.uid}`, `--group=+${user.gid}`] : [];
  await unpackedIn(container, plan.into, (sink) => {
    // Started where it is read: Node drops what a program said that has ended before anybody listened.
    const pack = onHost(packWords(plan, '', owner));
    return joined(pack.output, sink, [pack.ended]);
  });
}

/**
 * In one that runs, the image's own tar unpacks, confined as all that runs there; in another, this machine's, while nobody
 * starts it.
 */
async function unpackedIn(container: Container, into: string, feed: (sink: Writable) => Promise<void>): Promise<void> {
  await using _ = await lockContainer(container.folder);
  const { status } = await readState(container.folder);
  if (status === 'created' || status === 'exited') {
    const { input, output, ended } = await startInView(container, 'rw', unpackWords(into, '/c', []));
    output.resume();
    await feed(input);
    return ended;
  }
  const launched = await execInContainer(rootOf(container.folder), container, {
    command: ['tar', '-xpf', '-', '-C', into],
    environment: [],
    workingFolder: '/',
    user: '0',
    terminal: false,
    input: 'pipe',
    detached: false,
  });
  launched.output?.resume();
  let messages = '';
  launched.errors?.on('data', (chunk: Buffer) => {
    if (messages.length < 4096) messages += String(chunk);
  });
  launched.input?.on('error', () => {});
  const fed = launched.input === undefined ? undefined : await feed(launched.input).catch((error: unknown) => error);
  const code = await launched.ended;
  if (code === 0 && fed === undefined) return;
  throw new P2cError(`the container's tar ended with exit code ${code}`, {
    code: 'copy.tar',
    hint: "into a running container its own tar copies; where it has none, 'p2c stop' the container first",
    cause: fed instanceof Error && code === 0 ? fed : new Error(messages.trim() || 'it said nothing'),
  });
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

/** What one end says of its failure is why the other's pipe broke. */
async function joined(source: Readable, sink: Writable, ends: readonly Promise<void>[]): Promise<void> {
  const piped = await pipeline(source, sink).catch((error: unknown) => error ?? new Error('unknown'));
  await Promise.all(ends);
  if (piped !== undefined) throw piped;
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
