/** The engines that may run containers here, each tried with a real container: that a program is installed is no proof. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Engine } from '../engine.ts';
import { namespacesEngine } from '../engines/namespaces.ts';
import { ociEngine } from '../engines/oci.ts';
import { probeRuntime } from '../engines/probe.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import type { EngineName } from '../options.ts';
import { probeInside } from '../rootless/probe-inside.ts';
import { type Ability, unable } from './ability.ts';
import { pathOf } from './programs.ts';

const run = promisify(execFile);

export interface ExaminedEngine {
  readonly name: EngineName;
  /** The first line of what an OCI runtime says of itself; null where it says nothing, and for p2c's own engine. */
  readonly version: string | null;
  readonly works: Ability;
}

/**
 * p2c's own engine and the OCI runtimes it knows.
 * @param root whether p2c runs as root: else only its own runs containers.
 * @param store whose user namespace it is tried in without root; undefined where there can be none.
 */
export function examineEngines(root: boolean, store: string | undefined): Promise<ExaminedEngine[]> {
  const own = root ? examine('namespaces', root) : examineInside(store);
  return Promise.all([own, examine('runc', root), examine('crun', root)]);
}

async function examineInside(store: string | undefined): Promise<ExaminedEngine> {
  const lacking = unable('what it needs without root is missing');
  const fault = store === undefined ? lacking : await probeInside(store);
  return { name: 'namespaces', version: null, works: fault };
}

async function examine(name: EngineName, root: boolean): Promise<ExaminedEngine> {
  const path = name === 'namespaces' ? undefined : pathOf(name);
  if (path === null) return { name, version: null, works: unable('not installed') };
  const version = path === undefined ? null : await versionOf(path);
  if (!root)
    return { name, version, works: { able: 'unknown', reason: 'runs containers as root only, and p2c is not' } };
  const fault = await probeRuntime(engineNamed(name));
  return { name, version, works: fault === undefined ? { able: true } : unable(fault) };
}

function engineNamed(name: EngineName): Engine {
  return name === 'namespaces' ? namespacesEngine : ociEngine(name);
}

async function versionOf(path: string): Promise<string | null> {
  try {
    const { stdout } = await run(path, ['--version'], { env: HOST_ENVIRONMENT, timeout: 20_000 });
    return stdout.split('\n')[0] ?? null;
  } catch {
    return null;
  }
}
