/** The processes of a server, from /proc alone: a few programs for all of them, and not one for each. */
import { type Fact, known } from './fact.ts';
import { redactArguments } from './redact.ts';
import { type Answers, MARK, type Section } from './sections.ts';

export interface ServerProcess {
  readonly pid: number;
  readonly parent: number;
  /** As the kernel keeps it: up to 15 bytes. */
  readonly name: string;
  readonly uid: number;
  /** Command line with what looks like a password left out; empty for one that has overwritten it. */
  readonly args: string;
  /** Undefined where only root may know. */
  readonly exe: string | undefined;
  /** Its working directory; databases work in their data. */
  readonly cwd: string | undefined;
  readonly residentBytes: number;
  /** Bytes that it had written to disks since its start; undefined where the kernel does not count or tell. */
  readonly writtenBytes: number | undefined;
  /** The service of systemd that it belongs to, without `.service`. */
  readonly unit: string | undefined;
  /** True for one in a container on the server. */
  readonly inContainer: boolean;
}

/** busybox takes a line to end at a NUL: there the parts of a command line are made to end in tabs. */
export const PROCESS_SECTIONS: readonly Section[] = [
  {
    name: 'status',
    script: "cd /proc && grep -sE '^(Name|State|PPid|Uid|VmRSS|NSpid):' [0-9]*/status",
    maxBytes: 4 * 1024 * 1024,
  },
  {
    name: 'cmdline',
    script: `cd /proc
if [ "$(printf 'a\\0b\\n' | grep -a b | wc -c)" -eq 4 ]; then grep -sa '' [0-9]*/cmdline | tr '\\0' '\\t'
else for p in [0-9]*; do [ -r $p/cmdline ] && printf '%s/cmdline:' $p && tr '\\n\\0' ' \\t' <$p/cmdline && echo; done; fi | cut -b 1-4096`,
    maxBytes: 4 * 1024 * 1024,
  },
  { name: 'exe', script: linksOf('exe'), maxBytes: 1024 * 1024 },
  { name: 'cwd', script: linksOf('cwd'), maxBytes: 1024 * 1024 },
  {
    name: 'cgroup',
    script: "cd /proc && grep -sE ':name=systemd:|^0::|docker|libpod|kubepods|lxc' [0-9]*/cgroup",
    maxBytes: 1024 * 1024,
  },
  { name: 'io', script: "cd /proc && grep -s '^write_bytes:' [0-9]*/io", maxBytes: 512 * 1024 },
];

/** `PID TARGET` for a link of each process; before the arrow no `>` can stand. */
function linksOf(link: string): string {
  return `cd /proc && ls -l [0-9]*/${link} | sed -n 's/^l[^>]* \\([0-9]*\\)\\/${link} -> /\\1 /p'`;
}

/** Without the kernel's own threads, the dead, and the processes of the inspection itself. */
export function readProcesses(answers: Answers): Fact<ServerProcess[]> {
  const statuses = perProcess(answers.lines('status'), 'status');
  if (statuses.size === 0) return answers.none('/proc shows no process');
  const evidence: Evidence = {
    args: perProcess(answers.lines('cmdline'), 'cmdline'),
    exes: links(answers.lines('exe')),
    cwds: links(answers.lines('cwd')),
    cgroups: perProcess(answers.lines('cgroup'), 'cgroup'),
    written: perProcess(answers.lines('io'), 'io'),
  };
  const all = [...statuses].flatMap(([pid, lines]) => processOf(pid, lines, evidence) ?? []);
  const note = answers.note('status', 'cmdline', 'exe');
  // By the words as they were: what is left out may be longer than a password.
  const marked = [...evidence.args].flatMap(([pid, lines]) => (lines.join(' ').includes(MARK) ? [pid] : []));
  return known(withoutOwn(all, marked), note);
}

interface Evidence {
  readonly args: ReadonlyMap<number, string[]>;
  readonly exes: ReadonlyMap<number, string>;
  readonly cwds: ReadonlyMap<number, string>;
  readonly cgroups: ReadonlyMap<number, string[]>;
  readonly written: ReadonlyMap<number, string[]>;
}

function processOf(pid: number, lines: readonly string[], evidence: Evidence): ServerProcess | undefined {
  const field = (key: string): string =>
    lines
      .find((line) => line.startsWith(`${key}:`))
      ?.slice(key.length + 1)
      .trim() ?? '';
  const raw = evidence.args.get(pid)?.join(' ') ?? '';
  const args = redactArguments(raw.replace(/[\0\t]+$/, '').split(/[\0\t]/));
  const exe = evidence.exes.get(pid);
  const resident = /^(\d+) kB$/.exec(field('VmRSS'))?.[1];
  const isKernelThread = resident === undefined && args === '' && exe === undefined;
  if (isKernelThread || /^[ZX]/.test(field('State'))) return undefined;
  const cgroups = evidence.cgroups.get(pid) ?? [];
  const written = /^write_bytes: (\d+)/.exec(evidence.written.get(pid)?.[0] ?? '')?.[1];
  return {
    pid,
    parent: Number(field('PPid')),
    name: field('Name'),
    uid: Number(field('Uid').split('\t')[0]),
    args,
    exe,
    cwd: evidence.cwds.get(pid),
    residentBytes: Number(resident ?? 0) * 1024,
    writtenBytes: written === undefined ? undefined : Number(written),
    unit: unitOf(cgroups),
    inContainer: isContained(field('NSpid'), cgroups),
  };
}

/** `PID/FILE:LINE` as grep writes it for many files; one process may have many lines. */
function perProcess(lines: readonly string[], file: string): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const line of lines) {
    const match = new RegExp(`^(\\d+)/${file}:`).exec(line);
    if (match === null) continue;
    const pid = Number(match[1]);
    const rest = line.slice(match[0].length);
    const before = found.get(pid);
    if (before === undefined) found.set(pid, [rest]);
    else before.push(rest);
  }
  return found;
}

function links(lines: readonly string[]): Map<number, string> {
  const pairs = lines.flatMap((line): [number, string][] => {
    const match = /^(\d+) (.+)$/.exec(line);
    return match?.[2] === undefined ? [] : [[Number(match[1]), match[2]]];
  });
  return new Map(pairs);
}

/** `1:name=systemd:/system.slice/nginx.service`, or on the unified tree `0::/system.slice/nginx.service`. */
function unitOf(cgroups: readonly string[]): string | undefined {
  for (const line of cgroups) {
    const unit = /(?:^0::|:name=systemd:).*\/([^/]+)\.service(?:\/|$)/.exec(line)?.[1];
    if (unit !== undefined) return unit;
  }
  return undefined;
}

/** A second number in NSpid is one of a PID namespace below this one (Linux >= 4.1); older kernels only have the cgroup's name. */
function isContained(numbers: string, cgroups: readonly string[]): boolean {
  if (numbers.split('\t').length > 1) return true;
  return cgroups.some((line) =>
    /\/(?:docker[/-]|libpod[/-]|kubepods|lxc[./]|machine\.slice\/(?!libpod_parent))/.test(line),
  );
}

/** @param marked those whose command line has the marker: they, all below them, and the ssh connection that they came by. */
function withoutOwn(processes: readonly ServerProcess[], marked: readonly number[]): ServerProcess[] {
  const byPid = new Map(processes.map((process) => [process.pid, process]));
  const own = new Set(marked);
  for (const pid of marked) {
    for (let above = byPid.get(byPid.get(pid)?.parent ?? 0); above !== undefined; above = byPid.get(above.parent)) {
      if (!serves(above)) continue;
      // The one that listens is the server's own; those that it made for a connection are p2c's.
      if (!serves(byPid.get(above.parent))) break;
      own.add(above.pid);
    }
  }
  for (let before = -1; before !== own.size; ) {
    before = own.size;
    for (const { pid, parent } of processes) if (own.has(parent)) own.add(pid);
  }
  return processes.filter(({ pid }) => !own.has(pid));
}

function serves(process: ServerProcess | undefined): boolean {
  return process !== undefined && /^(?:sshd(?:-session|-auth)?|dropbear)$/.test(process.name);
}
