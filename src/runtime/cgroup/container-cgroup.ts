/**
 * A container's cgroups, `p2c-ID` in each hierarchy: made before it starts, and taken away with all that is in them. They
 * have no parent of their own, which would have to go with the last of them while another is being made in it.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { P2cError, systemCode } from '../../errors.ts';
import type { Resources } from '../spec.ts';
import { cgroupHierarchies, type Hierarchy } from './hierarchy.ts';
import { type Setting, settingsV1, settingsV2 } from './limits.ts';

/** What runtime-spec calls `cgroupsPath`. */
export function cgroupsPath(id: string): string {
  return `/p2c-${id}`;
}

/** How long processes that are at their end may take by themselves, and the kernel to end the others. Milliseconds. */
const END_TAKES = 1000;
const KILL_TAKES = 10_000;
const POLL = 10;
const USED = ['cpu', 'cpuacct', 'memory', 'pids', 'devices', 'freezer', 'blkio', 'name=systemd'];
const CONTROLLERS_V2 = ['cpu', 'memory', 'pids', 'io'];

/** One of a container's cgroups; it exists while the container runs. */
export interface ContainerCgroup extends Hierarchy {
  /** `p2c-ID` in the hierarchy's folder. */
  readonly path: string;
}

export function containerCgroups(id: string): ContainerCgroup[] {
  return cgroupHierarchies().map((hierarchy) => ({ ...hierarchy, path: join(hierarchy.folder, cgroupsPath(id)) }));
}

/**
 * Makes them and sets the limits. Hierarchies that cannot be written to, as in a container that p2c itself runs in, are
 * left out where no limit needs them.
 * @returns their paths, to be joined.
 * @throws P2cError `cgroup.limit` where the machine cannot hold a limit that is asked for.
 */
export async function makeCgroups(id: string, resources: Resources): Promise<string[]> {
  const made: ContainerCgroup[] = [];
  for (const cgroup of containerCgroups(id).filter(isUsed)) if (await makeFolder(cgroup)) made.push(cgroup);
  const waiting = new Set<string>(limitedControllers(resources));
  for (const cgroup of made) {
    const settings = (cgroup.version === 1 ? settingsV1 : settingsV2)(resources);
    for (const setting of settings.filter(({ controller }) => cgroup.controllers.includes(controller))) {
      await apply(cgroup, setting);
      waiting.delete(setting.controller);
    }
  }
  const [missing] = waiting;
  if (missing === undefined) return made.map(({ path }) => path);
  throw new P2cError(`this machine cannot limit '${missing}': no cgroup with that controller can be made`, {
    code: 'cgroup.limit',
    hint: 'mount the cgroup filesystems, or leave out --memory, --cpus and --pids-limit',
  });
}

/** Nothing can go into a cpuset before it is told its processors, and classes of network traffic concern no container. */
function isUsed({ version, controllers }: Hierarchy): boolean {
  return version === 2 || controllers.some((name) => USED.includes(name));
}

function limitedControllers({ memory, cpu, pids }: Resources): string[] {
  return [...(memory ? ['memory'] : []), ...(cpu ? ['cpu'] : []), ...(pids ? ['pids'] : [])];
}

async function makeFolder({ path, version, folder }: ContainerCgroup): Promise<boolean> {
  try {
    await mkdir(path, { recursive: true });
    if (version === 2) await enableControllers(folder);
    return true;
  } catch (error) {
    if (['EROFS', 'EACCES', 'EPERM', 'ENOENT'].includes(systemCode(error) ?? '')) return false;
    throw error;
  }
}

/** A controller is to be had below a cgroup that hands it on; where processes stand in its way, it is not. */
async function enableControllers(folder: string): Promise<void> {
  const there = (await readFile(join(folder, 'cgroup.controllers'), 'latin1')).split(/\s+/);
  for (const name of CONTROLLERS_V2.filter((one) => there.includes(one))) {
    await writeFile(join(folder, 'cgroup.subtree_control'), `+${name}`).catch(() => {});
  }
}

async function apply({ path }: ContainerCgroup, { file, value, optional, controller }: Setting): Promise<void> {
  try {
    await writeFile(join(path, file), value, { flag: 'r+' });
  } catch (cause) {
    if (optional === true) return;
    throw new P2cError(`the limit of '${controller}' could not be set to ${value}`, { code: 'cgroup.limit', cause });
  }
}

/**
 * Kills what is left in a container's cgroups and removes them. Does nothing where there are none.
 * @throws P2cError `cgroup.busy` where processes do not end.
 */
export async function removeCgroups(id: string): Promise<void> {
  const begin = performance.now();
  for (const { path } of containerCgroups(id)) {
    while (existsSync(path) && !(await isRemoved(path))) {
      const waited = performance.now() - begin;
      if (waited > KILL_TAKES) {
        throw new P2cError(`processes in the cgroup ${path} do not end`, {
          code: 'cgroup.busy',
          hint: `see what the processes of ${path}/cgroup.procs wait for`,
        });
      }
      if (waited > END_TAKES) await killAll(path);
      await new Promise((resolve) => setTimeout(resolve, POLL));
    }
  }
}

/** Those below first. */
async function isRemoved(path: string): Promise<boolean> {
  try {
    for (const child of await foldersIn(path)) if (!(await isRemoved(child))) return false;
    await rmdir(path);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return true;
    if (systemCode(error) === 'EBUSY') return false;
    throw error;
  }
}

async function killAll(path: string): Promise<void> {
  const ids = await readFile(join(path, 'cgroup.procs'), 'latin1').catch(() => '');
  for (const pid of ids.split('\n').map(Number)) if (pid > 0) killOne(pid);
  for (const child of await foldersIn(path).catch(() => [])) await killAll(child);
}

function killOne(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (systemCode(error) !== 'ESRCH') throw error;
  }
}

async function foldersIn(path: string): Promise<string[]> {
  const entries = await readdir(path, { withFileTypes: true });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
}
