/** What containers may leave on a machine, for scripts/bench-runtime: all that there is, before and after. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Kind → what there is of it, each by a name that stays the same. */
export type MachineState = ReadonlyMap<string, ReadonlySet<string>>;

/** Milliseconds. What a container's end takes away a moment later is not left behind. */
const PATIENCE = 10_000;
const POLL = 200;

/** @param folders whose files count. Processes are those of this PID namespace, interfaces those of this network namespace. */
export function machineState(folders: readonly string[]): MachineState {
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map([
    ['mount', new Set(textOf('/proc/self/mountinfo').map((line) => line.split(' ').slice(2, 5).join(' ')))],
    ['namespace', new Set(processes.flatMap(namespacesOf))],
    ['cgroup', new Set(containerCgroups('/sys/fs/cgroup'))],
    ['interface', new Set(textOf('/proc/self/net/dev').flatMap((line) => /^\s*(\S+):/.exec(line)?.[1] ?? []))],
    ['packet filter rule', new Set(rules())],
    ['process', new Set(processes.flatMap(nameOf))],
    ['file', new Set(folders.flatMap(filesIn))],
  ]);
}

/** @returns `KIND: NAME` of each that was not there before, once it is sure to stay. */
export async function leftBehind(before: MachineState, folders: readonly string[]): Promise<string[]> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const left = [...machineState(folders)].flatMap(([kind, names]) =>
      [...names].filter((name) => before.get(kind)?.has(name) !== true).map((name) => `${kind}: ${name}`),
    );
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

function textOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n');
  } catch {
    // A process that has ended.
    return [];
  }
}

/** Those of Node's child that reads the rules are this process's own. */
function namespacesOf(pid: string): string[] {
  try {
    const folder = `/proc/${pid}/ns`;
    return readdirSync(folder).map((name) => readlinkSync(join(folder, name)));
  } catch {
    return [];
  }
}

/** A process number may come again: a name of both. */
function nameOf(pid: string): string[] {
  const [name = ''] = textOf(`/proc/${pid}/cmdline`);
  return existsSync(`/proc/${pid}`) ? [`${pid} ${name.replaceAll('\0', ' ').slice(0, 100)}`] : [];
}

/**
 * Cgroups are the whole machine's. Those of p2c's containers are named by their IDs; one that holds a process of another
 * PID namespace, which is shown as 0, is somebody else's.
 */
function containerCgroups(folder: string): string[] {
  if (!existsSync(folder)) return [];
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => {
    const path = join(folder, name);
    if (/^p2c-[0-9a-f]{64}$/.test(name)) return textOf(join(path, 'cgroup.procs')).includes('0') ? [] : [path];
    return folder === '/sys/fs/cgroup' ? containerCgroups(path) : [];
  });
}

/** Without the counters of the chains. */
function rules(): string[] {
  const lines = execFileSync('iptables-save', { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n');
  return lines.filter((line) => !line.startsWith('#')).map((line) => line.replace(/ \[\d+:\d+\]$/, ''));
}

function filesIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
}
