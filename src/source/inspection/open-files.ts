/** What processes hold open: files that are written, files that are gone, devices, and the sockets that they own. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export interface OpenFile {
  readonly path: string;
  readonly pids: readonly number[];
}

export interface OpenFiles {
  /** Regular files open for writing. */
  readonly written: readonly OpenFile[];
  /** Files that have no name any more: their space is free once they are closed, and no copy has them. */
  readonly deleted: readonly OpenFile[];
  /** Disks that a process reads or writes past the filesystems: databases on raw devices, for instance. */
  readonly devices: readonly OpenFile[];
  /** Inode of a socket → the processes that have it. */
  readonly socketOwners: ReadonlyMap<string, readonly number[]>;
  /** True where only the files of some processes were to be seen. */
  readonly partial: boolean;
}

/** ls(1) shows the mode of an open file in the rights of its link (proc(5), /proc/PID/fd). */
export const OPEN_FILE_SECTIONS: readonly Section[] = [
  {
    name: 'fds',
    script: `cd /proc && ls -l [0-9]*/fd | sed -n -e 's/^\\([0-9]*\\)\\/fd:$/\\1/p' -e '/ -> pipe:/d' -e '/ -> anon_inode/d' -e '/ -> \\/dev\\/null$/d' -e '/ -> \\/dev\\/pts/d' -e 's/^l\\(..\\)[^>]* \\([0-9]*\\) -> /\\1 \\2 /p'`,
    maxBytes: 8 * 1024 * 1024,
  },
  {
    name: 'closed',
    script: 'for p in /proc/[0-9]*; do if [ -d $p/fd ] && [ ! -r $p/fd ]; then echo closed; break; fi; done',
    maxBytes: 64,
  },
];

/** The devices of disks and what is made of them; not terminals, memory or sound. */
const DISK =
  /^\/dev\/(?:(?:s|h|v|xv)d[a-z]|nvme\d|dm-\d|mapper\/(?!control)|md\d|raw\/raw|cciss\/|dasd|oracleasm\/|loop\d|vg[^/]*\/|emcpower|sg\d|drbd|asm)/;

export function readOpenFiles(answers: Answers): Fact<OpenFiles> {
  const lines = answers.lines('fds');
  if (lines.length === 0) return answers.none('/proc shows no open file');
  const written = new Collector();
  const deleted = new Collector();
  const devices = new Collector();
  const sockets = new Collector();
  let pid = 0;
  for (const line of lines) {
    if (/^\d+$/.test(line)) pid = Number(line);
    const match = /^([r-])([w-]) \d+ (.+)$/.exec(line);
    const target = match?.[3];
    if (match === null || target === undefined) continue;
    const socket = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (socket !== undefined) sockets.add(socket, pid);
    else if (!target.startsWith('/') || IN_MEMORY.test(target)) continue;
    else if (target.endsWith(' (deleted)')) deleted.add(target.slice(0, -' (deleted)'.length), pid);
    else if (DISK.test(target)) devices.add(target, pid);
    else if (match[2] === 'w' && !/^\/(?:dev|proc|sys)\//.test(target)) written.add(target, pid);
  }
  const partial = answers.line('closed') !== '';
  const files = {
    written: written.files,
    deleted: deleted.files,
    devices: devices.files,
    socketOwners: sockets.pids,
    partial,
  };
  return known(files, partial ? 'not root: only the files of some processes are seen' : answers.note('fds'));
}

/** Shared memory has names like files and is none. */
const IN_MEMORY = /^\/(?:memfd:|SYSV[0-9a-f]{8}|dev\/zero|dev\/shm\/|\[aio\]|anon_hugepage)/;

/** Names and who has them, however many descriptors each has. */
class Collector {
  readonly #pids = new Map<string, Set<number>>();

  add(name: string, pid: number): void {
    const pids = this.#pids.get(name);
    if (pids === undefined) this.#pids.set(name, new Set([pid]));
    else pids.add(pid);
  }

  get pids(): Map<string, readonly number[]> {
    return new Map([...this.#pids].map(([name, pids]) => [name, [...pids]]));
  }

  get files(): OpenFile[] {
    return [...this.pids].map(([path, pids]) => ({ path, pids })).sort((a, b) => (a.path < b.path ? -1 : 1));
  }
}
