/** A podman with a storage of its own, gone with the test. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ExecutionContext } from 'ava';
import { temporaryFolder } from './temporary.ts';

export type Podman = (...args: readonly string[]) => Promise<string>;

/** @returns a call that gives podman's standard output, trimmed, and rejects with its words. */
export async function startPodman(t: ExecutionContext): Promise<Podman> {
  const folder = await temporaryFolder(t);
  const own = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  return async (...args) => (await promisify(execFile)('podman', [...own, ...args])).stdout.trim();
}
