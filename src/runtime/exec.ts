/** Another process in a running container. */
import { usageError } from '../errors.ts';
import { mergeEnvironment } from './bundle/process.ts';
import { type Container, readBundle, readState } from './container.ts';
import { notRunning } from './end.ts';
import type { Launched } from './engine.ts';
import { engineOf } from './engines/choose.ts';
import { placeOf } from './place.ts';
import { snapshotRoot } from './snapshot.ts';
import type { Bundle, ContainerProcess } from './spec.ts';
import { resolveUser } from './user.ts';

export interface ExecOptions {
  readonly command: readonly string[];
  readonly environment: readonly string[];
  readonly workingFolder?: string | undefined;
  /** Names are those of the image: what the container wrote into its passwd since is not read. */
  readonly user?: string | undefined;
  readonly terminal: boolean;
  readonly input: 'inherit' | 'pipe' | 'none';
  /** Nobody reads what it says. */
  readonly detached: boolean;
}

/**
 * Starts a process with the container's own limits and capabilities.
 * @param root the store's.
 * @throws P2cError `container.stopped`, `runtime.*` (usage).
 */
export async function execInContainer(root: string, container: Container, options: ExecOptions): Promise<Launched> {
  const { folder, definition } = container;
  const { status, init } = await readState(folder);
  if (status !== 'running' || init === undefined) {
    throw notRunning(container);
  }
  const bundle = await readBundle(folder);
  const process = await execProcess(root, container, bundle, options);
  return engineOf(definition).exec(await placeOf(container), init, bundle, process, {
    input: options.input,
    output: options.detached ? 'none' : 'pipe',
  });
}

async function execProcess(
  root: string,
  { definition }: Container,
  { process }: Bundle,
  options: ExecOptions,
): Promise<ContainerProcess> {
  const cwd = options.workingFolder ?? process.cwd;
  if (!cwd.startsWith('/') || cwd.includes('\0')) {
    throw usageError(`the working folder '${cwd}' is not absolute`, { code: 'runtime.workdir' });
  }
  const terminal = options.terminal ? ['TERM=xterm'] : [];
  const shared = { terminal: options.terminal, args: [...options.command], cwd };
  if (options.user === undefined) {
    return { ...process, ...shared, env: mergeEnvironment(terminal, process.env, options.environment) };
  }
  const layers = await Promise.all(definition.layers.map((digest) => snapshotRoot(root, digest)));
  const { uid, gid, additionalGids, home } = resolveUser(layers, options.user);
  const held = uid === 0 ? process.capabilities.bounding : [];
  return {
    ...process,
    ...shared,
    user: { uid, gid, additionalGids: [...additionalGids] },
    env: mergeEnvironment(terminal, process.env, [`HOME=${home}`], options.environment),
    capabilities: { bounding: process.capabilities.bounding, effective: held, permitted: held },
  };
}
