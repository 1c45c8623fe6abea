/** Which services a server has, what starts at boot and what runs: asked of whichever service managers it has. */
import { type Fact, known } from './fact.ts';
import { type InitKind, respawned } from './init-system.ts';
import type { ServerProcess } from './processes.ts';
import type { Answers, Section } from './sections.ts';

export interface Service {
  readonly name: string;
  readonly manager: 'systemd' | 'upstart' | 'sysv' | 'openrc' | 'inittab' | 'inetd';
  /** Null where nothing tells. */
  readonly atBoot: boolean | null;
  readonly running: boolean | null;
}

const SYSTEMD = '[ -d /run/systemd/system ] && ';

export const SERVICE_SECTIONS: readonly Section[] = [
  {
    name: 'unit-files',
    script: `${SYSTEMD}systemctl list-unit-files --type=service --no-legend --no-pager --full`,
    maxBytes: 256 * 1024,
  },
  {
    name: 'units',
    script: `${SYSTEMD}systemctl list-units --type=service --all --no-legend --no-pager --full`,
    maxBytes: 512 * 1024,
  },
  // What is wanted at boot, where systemctl does not answer.
  { name: 'wants', script: 'ls /etc/systemd/system/*.wants', maxBytes: 64 * 1024 },
  {
    name: 'upstart-jobs',
    script: '[ -x /sbin/initctl ] && [ ! -d /run/systemd/system ] && /sbin/initctl list',
    maxBytes: 64 * 1024,
  },
  {
    name: 'upstart-starts',
    script: "grep -sE '^ *(start on|manual)' /etc/init/*.conf /dev/null",
    maxBytes: 128 * 1024,
  },
  { name: 'chkconfig', script: 'chkconfig --list', maxBytes: 128 * 1024 },
  {
    name: 'rc-links',
    script: 'ls -d /etc/rc[0-6S].d/S* /etc/rc.d/rc[0-6S].d/S* /etc/init.d/rc[0-6S].d/S*',
    maxBytes: 128 * 1024,
  },
  { name: 'init-scripts', script: 'ls -F /etc/init.d/ /etc/rc.d/init.d/', maxBytes: 64 * 1024 },
  { name: 'openrc', script: 'rc-update show', maxBytes: 64 * 1024 },
  { name: 'openrc-state', script: 'rc-status --servicelist', maxBytes: 64 * 1024 },
  {
    name: 'inetd',
    script:
      "grep -sE '^[a-z]' /etc/inetd.conf; grep -sliE '^[[:space:]]*disable[[:space:]]*=[[:space:]]*no' /etc/xinetd.d/*",
    maxBytes: 64 * 1024,
  },
];

/** Scripts that are no services: they set a machine up or take it down. */
const NO_SERVICE = new Set(
  `README skeleton functions rc rcS halt reboot single killall killprocs sendsigs umountfs umountroot umountnfs.sh mountall.sh
  mountkernfs.sh mountdevsubfs.sh mountnfs.sh mountall-bootclean.sh mountnfs-bootclean.sh bootmisc.sh checkfs.sh checkroot.sh
  checkroot-bootclean.sh hostname.sh hwclock.sh urandom procps brightness motd bootlogs rmnologin stop-bootlogd
  stop-bootlogd-single bootlogd .depend.boot .depend.start .depend.stop boot rc.sysinit`.split(/\s+/),
);

/** @param system what INIT_SECTIONS answered; @param boot the runlevel that the server boots into; empty where it is not known. */
export function readServices(
  answers: Answers,
  system: Answers,
  init: InitKind,
  boot: string,
  processes: readonly ServerProcess[],
): Fact<Service[]> {
  const services = [
    ...(init === 'systemd' ? systemdServices(answers) : []),
    ...(init === 'upstart' ? upstartServices(answers) : []),
    ...(init === 'systemd' ? [] : sysvServices(answers, boot)),
    ...openrcServices(answers),
    ...respawned(system).map(
      (command): Service => ({
        name: command.split(/\s+/)[0] ?? command,
        manager: 'inittab',
        atBoot: true,
        running: null,
      }),
    ),
    ...inetdServices(answers),
  ];
  if (services.length === 0) return answers.none('no service manager that p2c knows answers');
  const named = new Map<string, Service>();
  for (const service of services) if (!named.has(service.name)) named.set(service.name, service);
  const all = [...named.values()].map((service) => ({
    ...service,
    running: service.running ?? seenRunning(service, processes),
  }));
  return known(
    all.sort((a, b) => (a.name < b.name ? -1 : 1)),
    answers.note('unit-files', 'units', 'rc-links'),
  );
}

/** A process of nearly the same name is as much as System V can tell; that there is none says nothing. */
function seenRunning({ name }: Service, processes: readonly ServerProcess[]): true | null {
  const service = name.split('/').at(-1) ?? name;
  const isIts = (process: string): boolean =>
    process === service.slice(0, 15) ||
    process === `${service}d` ||
    (process.length > 5 && service.startsWith(process));
  return processes.some((process) => isIts(process.name)) ? true : null;
}

/** `nginx.service enabled enabled`, `● nginx.service loaded active running A web server`. */
function systemdServices(answers: Answers): Service[] {
  const boot = new Map<string, boolean | null>();
  for (const line of answers.lines('unit-files')) {
    const [, name, state] = /^(\S+)\.service\s+(\S+)/.exec(line) ?? [];
    if (name === undefined || name.endsWith('@') || state === undefined) continue;
    boot.set(name, state === 'enabled' ? true : /^(?:disabled|masked)/.test(state) ? false : null);
  }
  const wanted = boot.size > 0 ? [] : answers.lines('wants');
  for (const line of wanted) {
    const name = /^(\S+)\.service$/.exec(line)?.[1];
    if (name !== undefined) boot.set(name, true);
  }
  const running = new Map<string, boolean>();
  for (const line of answers.lines('units')) {
    const [, name, load, , sub] = /^[^\w/-]*(\S+)\.service\s+(\S+)\s+(\S+)\s+(\S+)/.exec(line) ?? [];
    if (name !== undefined && load !== 'not-found') running.set(name, sub === 'running');
  }
  // Those of a login are gone with it, p2c's own among them.
  const names = [...new Set([...boot.keys(), ...running.keys()])].filter(
    (name) => !/^user(?:-runtime-dir)?@/.test(name),
  );
  return names.map((name) => ({
    name,
    manager: 'systemd',
    atBoot: boot.get(name) ?? null,
    running: running.get(name) ?? (boot.size > 0 && running.size > 0 ? false : null),
  }));
}

/** `ssh start/running, process 123`; `start on` in its file makes it start at boot unless it says `manual`. */
function upstartServices(answers: Answers): Service[] {
  const starts = new Set<string>();
  const manual = new Set<string>();
  for (const line of answers.lines('upstart-starts')) {
    const [, name, word] = /^\/etc\/init\/(\S+)\.conf:\s*(start on|manual)/.exec(line) ?? [];
    if (name !== undefined) (word === 'manual' ? manual : starts).add(name);
  }
  return answers.lines('upstart-jobs').flatMap((line) => {
    const [, name, state] = /^(\S+)(?: \([^)]*\))? (\w+\/[\w-]+)/.exec(line) ?? [];
    if (name === undefined) return [];
    return [
      { name, manager: 'upstart', atBoot: starts.has(name) && !manual.has(name), running: state === 'start/running' },
    ];
  });
}

/** chkconfig's table where there is one, else the links that rc follows. */
function sysvServices(answers: Answers, boot: string): Service[] {
  const level = /^[1-5]$/.test(boot) ? boot : undefined;
  const table = answers.lines('chkconfig').flatMap((line): Service[] => {
    const name = /^(\S+)\s+0:(?:on|off)\s/.exec(line)?.[1];
    if (name === undefined) return [];
    const on = (each: string): boolean => new RegExp(`\\s${each}:on(?:\\s|$)`).test(line);
    return [
      { name, manager: 'sysv', atBoot: level === undefined ? ['2', '3', '5'].some(on) : on(level), running: null },
    ];
  });
  return table.length > 0 ? table : fromLinks(answers, level);
}

function fromLinks(answers: Answers, level: string | undefined): Service[] {
  const started = new Set<string>();
  for (const line of answers.lines('rc-links')) {
    const [, each, name] = /rc([0-6S])\.d\/S\d+(.+)$/.exec(line) ?? [];
    if (each === undefined || name === undefined) continue;
    if (each === 'S' || (level === undefined ? /[2-5]/.test(each) : each === level)) started.add(name);
  }
  const scripts = answers.lines('init-scripts').flatMap((line) => /^([\w.@-]+)\*$/.exec(line)?.[1] ?? []);
  const names = [...new Set([...scripts, ...started])].filter((name) => !NO_SERVICE.has(name));
  return names.map((name) => ({ name, manager: 'sysv', atBoot: started.has(name), running: null }));
}

/** `sshd | default`, and `sshd [ started ]`. */
function openrcServices(answers: Answers): Service[] {
  const started = new Set(
    answers.lines('openrc-state').flatMap((line) => /^\s*(\S+)\s+\[\s*started\s*\]/.exec(line)?.[1] ?? []),
  );
  const asked = answers.lines('openrc-state').length > 0;
  return answers.lines('openrc').flatMap((line) => {
    const [, name, levels] = /^\s*(\S+) \|(.*)$/.exec(line) ?? [];
    if (name === undefined) return [];
    return [{ name, manager: 'openrc', atBoot: levels?.trim() !== '', running: asked ? started.has(name) : null }];
  });
}

/** Lines of inetd.conf(5), and files of xinetd that are not disabled. */
function inetdServices(answers: Answers): Service[] {
  return answers.lines('inetd').map((line) => {
    const name = line.startsWith('/') ? (line.split('/').at(-1) ?? line) : (line.split(/\s/)[0] ?? line);
    return { name, manager: 'inetd', atBoot: true, running: null };
  });
}
