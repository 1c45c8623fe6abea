/** What is left of containers that have ended, and of those whose folder is gone. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { containerCgroups, removeCgroups } from '../cgroup/container-cgroup.ts';
import { lockContainer } from '../claim.ts';
import { type Container, containerFolder, containersFolder, stateIfKnown } from '../container.ts';
import { listContainers, removedIds } from '../containers.ts';
import { removeContainer } from '../end.ts';
import { engineOf } from '../engines/choose.ts';
import { type CommandLine, engineProcesses } from '../engines/engine-processes.ts';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { monitorTitle } from '../monitor.ts';
import { leaveNetworks } from '../network/join.ts';
import { knownNetworkRecord } from '../network/record.ts';
import { runFolder } from '../network/run-folder.ts';
import { bootId, isAlive, killTree, type ProcessIdentity } from '../process.ts';
import type { Stray, StrayKind } from './stray.ts';

const run = promisify(execFile);

const ID = /^[0-9a-f]{64}$/;

/**
 * Of containers that ended without anyone to see to it: what they have beyond their own files. Those that were to be removed
 * with their end are strays as a whole.
 */
export async function containerStrays(root: string, all: readonly CommandLine[]): Promise<Stray[]> {
  const strays: Stray[] = [];
  for (const container of await listContainers(root)) {
    if (!(await hasEnded(container))) continue;
    const { definition, folder } = container;
    const { id } = definition;
    const of = `the container '${definition.name}', which has ended`;
    const stray = (kind: StrayKind, what: string, remove: () => Promise<void>): void => {
      strays.push({ kind, what, of, remove: () => ifEnded(container, remove) });
    };
    for (const each of engineProcesses(folder, all)) stray('process', String(each.pid), async () => killTree(each));
    for (const path of mountsBelow(root, id)) stray('mount', path, () => unmount(path));
    for (const path of cgroupsOf(definition.id)) stray('cgroup', path, () => removeCgroups(definition.id));
    const records = join(folder, 'runtime');
    if (existsSync(records)) {
      stray('records', records, () => engineOf(definition).cleanUp({ id: definition.id, folder }));
    }
    const network = await knownNetworkRecord(folder);
    if (network !== undefined) stray('network', network.namespace, () => leaveNetworks(container));
    if (definition.autoRemove && (await wasStarted(container))) {
      const remove = (): Promise<void> => removeContainer(root, container, false);
      strays.push({ kind: 'container', what: definition.name, of: 'its monitor, which was to remove it', remove });
    }
  }
  return strays;
}

/** Of containers whose folder is gone, or is going: what of them is left says whose it is. */
export async function goneStrays(root: string, all: readonly CommandLine[]): Promise<Stray[]> {
  const strays: Stray[] = [];
  for (const id of new Set([...(await removedIds(root)), ...namedIn(root, all), ...(await namespaceIds(root))])) {
    const folder = containerFolder(root, id);
    if (existsSync(folder)) continue;
    const of = `the container ${id.slice(0, 12)}, which is no more`;
    const stray = (kind: StrayKind, what: string, remove: () => Promise<void>): void => {
      strays.push({ kind, what, of, remove });
    };
    for (const each of [...engineProcesses(folder, all), ...monitorsOf(root, id, all)]) {
      stray('process', String(each.pid), async () => killTree(each));
    }
    for (const path of mountsBelow(root, id)) stray('mount', path, () => unmount(path));
    for (const path of cgroupsOf(id)) stray('cgroup', path, () => removeCgroups(id));
  }
  return strays;
}

/** False too for one that is looked after: what it has left is its monitor's to take away. */
async function hasEnded({ folder }: Container): Promise<boolean> {
  const state = await stateIfKnown(folder);
  if (state === undefined || (state.status !== 'exited' && state.status !== 'created')) return false;
  return state.boot !== bootId() || state.monitor === undefined || !isAlive(state.monitor);
}

async function wasStarted({ folder }: Container): Promise<boolean> {
  const state = await stateIfKnown(folder);
  return state !== undefined && state.status !== 'created';
}

/** Nobody starts it between the look and the removal. */
async function ifEnded(container: Container, remove: () => Promise<void>): Promise<void> {
  if (!existsSync(container.folder)) return;
  await using _ = await lockContainer(container.folder);
  if (await hasEnded(container)) await remove();
}

function cgroupsOf(id: string): string[] {
  return containerCgroups(id).flatMap(({ path }) => (existsSync(path) ? [path] : []));
}

function monitorsOf(root: string, id: string, all: readonly CommandLine[]): ProcessIdentity[] {
  return all.filter(({ words }) => words[0] === monitorTitle(root, id)).map(({ process }) => process);
}

/** IDs of the store's containers of which command lines speak. */
function namedIn(root: string, all: readonly CommandLine[]): string[] {
  const begin = `${containersFolder(root)}/`;
  const title = monitorTitle(root, '');
  const monitored = all.flatMap(({ words: [first = ''] }) =>
    first.startsWith(title) ? [first.slice(title.length)] : [],
  );
  const paths = all.flatMap(({ words }) => words.flatMap((word) => word.split(begin).slice(1)));
  return [...monitored, ...paths.map((path) => path.slice(0, 64))].filter((id) => ID.test(id));
}

async function namespaceIds(root: string): Promise<string[]> {
  return (await readdir(runFolder(root).namespaces).catch(() => [])).filter((name) => ID.test(name));
}

/** Mounts of this machine's own namespace: containers have theirs, which go with them. The last made first. */
function mountsBelow(root: string, id: string): string[] {
  const folder = `${containerFolder(realpathSync(root), id)}/`;
  const lines = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  const points = lines.map((line) => mountPoint(line.split(' ')[4] ?? ''));
  return points.filter((point) => point.startsWith(folder)).reverse();
}

/** proc(5): space, tab, line feed and backslash are written as their octal numbers. */
function mountPoint(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 8)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

async function unmount(path: string): Promise<void> {
  await run(findProgram('umount'), ['-n', '-l', path], { env: HOST_ENVIRONMENT });
}
