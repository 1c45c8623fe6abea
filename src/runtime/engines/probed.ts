/** What the probes of OCI runtimes found, kept in the store: a probe takes as long as the start of a container. */

import { statSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { release } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { P2cError } from '../../errors.ts';
import { ONCE } from '../../once.ts';
import type { Engine } from '../engine.ts';
import { findProgram } from '../host-program.ts';
import { probeRuntime } from './probe.ts';

const findingSchema = z.object({
  /** The program and the kernel that were tried. */
  key: z.string(),
  /** Null where it works. */
  fault: z.string().nullable(),
});

/**
 * @param root the store's.
 * @returns why the runtime does not work on this machine, as it is since it was started; undefined where it does.
 */
export async function runtimeFault(root: string, engine: Engine): Promise<string | undefined> {
  const key = await runtimeKey(engine.name);
  if (key === undefined) return 'is not installed';
  const path = join(root, 'engines', `${engine.name}.json`);
  const known = await readFinding(path);
  if (known?.key === key) return known.fault ?? undefined;
  const fault = await probeRuntime(engine);
  await mkdir(join(root, 'engines'), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, JSON.stringify({ key, fault: fault ?? null }));
  await rename(temporary, path);
  return fault;
}

/** Undefined where it is not installed. A machine that was started anew may have other cgroups. */
async function runtimeKey(name: string): Promise<string | undefined> {
  try {
    const path = findProgram(name);
    const { size, mtimeMs } = statSync(path);
    const boot = await readFile('/proc/sys/kernel/random/boot_id', 'latin1');
    return [path, size, mtimeMs, release(), boot.trim()].join(' ');
  } catch (error) {
    if (error instanceof P2cError) return undefined;
    throw error;
  }
}

async function readFinding(path: string): Promise<z.output<typeof findingSchema> | undefined> {
  try {
    return findingSchema.parse(JSON.parse(await readFile(path, 'utf8')), ONCE);
  } catch {
    // Not tried yet, or not what p2c writes: it is tried again.
    return undefined;
  }
}
