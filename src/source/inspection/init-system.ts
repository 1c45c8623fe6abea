/** Which program is process 1 of a server, and what it boots into. */
import { type Fact, known } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export type InitKind = 'systemd' | 'upstart' | 'sysvinit' | 'openrc' | 'busybox' | 'runit' | 's6' | 'unknown';

export interface InitSystem {
  readonly kind: InitKind;
  /** Empty where it is not told. */
  readonly version: string;
  /** The program of process 1; empty where it may not be read. */
  readonly program: string;
}

export const INIT_SECTIONS: readonly Section[] = [
  { name: 'init-exe', script: 'readlink /proc/1/exe', maxBytes: 4096 },
  { name: 'init-link', script: 'readlink -f /sbin/init || readlink /sbin/init', maxBytes: 4096 },
  { name: 'init-name', script: "sed -n 's/^Name:[[:space:]]*//p' /proc/1/status", maxBytes: 256 },
  {
    name: 'init-signs',
    script:
      'for f in /run/systemd/system /run/openrc /etc/init /etc/inittab /etc/rc.d /etc/runlevels /sbin/initctl /run/runit; do [ -e $f ] && echo $f; done',
    maxBytes: 1024,
  },
  { name: 'systemd-version', script: 'systemctl --version | sed -n 1p', maxBytes: 256 },
  // Never `init --version`: to a sysvinit that runs, it is a request.
  { name: 'upstart-version', script: '[ -x /sbin/initctl ] && /sbin/initctl version', maxBytes: 256 },
  { name: 'runlevel', script: 'runlevel || who -r', maxBytes: 256 },
  { name: 'default-target', script: '[ -d /run/systemd/system ] && systemctl get-default', maxBytes: 256 },
  { name: 'default-link', script: 'readlink /etc/systemd/system/default.target', maxBytes: 256 },
  { name: 'inittab', script: "sed -e 's/^[[:space:]]*//' -e '/^#/d' /etc/inittab", maxBytes: 16_384 },
  { name: 'upstart-default', script: "sed -n 's/^env DEFAULT_RUNLEVEL=//p' /etc/init/rc-sysinit.conf", maxBytes: 64 },
];

export function readInit(answers: Answers): Fact<InitSystem> {
  const program = answers.line('init-exe').replace(/ \(deleted\)$/, '');
  const kind = kindOf(answers, program || answers.line('init-link'));
  if (kind === 'unknown' && program === '')
    return answers.none('process 1 may be looked at by root alone, and no file tells');
  return known({ kind, version: versionOf(kind, answers), program });
}

function kindOf(answers: Answers, program: string): InitKind {
  const signs = new Set(answers.lines('init-signs'));
  const name = answers.line('init-name');
  if (signs.has('/run/systemd/system') || /systemd$/.test(program)) return 'systemd';
  if (/^init \(upstart/.test(answers.line('upstart-version')) || /upstart/.test(program)) return 'upstart';
  if (signs.has('/run/openrc') || /openrc-init$/.test(program)) return 'openrc';
  if (/runit/.test(program) || /runit/.test(name)) return 'runit';
  if (/s6-svscan$/.test(program)) return 's6';
  if (/busybox/.test(program)) return 'busybox';
  if (/\/init$/.test(program) && signs.has('/etc/inittab')) return 'sysvinit';
  return 'unknown';
}

function versionOf(kind: InitKind, answers: Answers): string {
  if (kind === 'systemd') return /^systemd (\d+)/.exec(answers.line('systemd-version'))?.[1] ?? '';
  if (kind === 'upstart') return /upstart (\d[\w.]*)/.exec(answers.line('upstart-version'))?.[1] ?? '';
  return '';
}

export interface Runlevel {
  /** `3`, or `multi-user.target`; empty where it is not told. */
  readonly current: string;
  /** Into which it boots; empty where it is not told. */
  readonly boot: string;
}

/** `N 2` of runlevel(8), `run-level 3` of who(1), `id:3:initdefault:` of inittab(5), systemd's default target. */
export function readRunlevel(answers: Answers): Fact<Runlevel> {
  const line = answers.line('runlevel');
  const current = /^[N\dS] ([\dS])$/.exec(line)?.[1] ?? /run-level ([\dS])/.exec(line)?.[1] ?? '';
  const fromInittab = answers
    .lines('inittab')
    .flatMap((each) => /^[^:]*:([\dS]):initdefault:/.exec(each)?.[1] ?? [])[0];
  const target = answers.line('default-target') || answers.line('default-link').split('/').at(-1) || '';
  const boot = target.endsWith('.target') ? target : (fromInittab ?? answers.line('upstart-default'));
  return current === '' && boot === '' ? answers.none('no runlevel is recorded on it') : known({ current, boot });
}

/** Programs that init itself keeps running (inittab(5): respawn), but for terminals' logins. */
export function respawned(answers: Answers): string[] {
  return answers.lines('inittab').flatMap((line) => {
    const command = /^[^:]*:[^:]*:(?:respawn|once|ondemand):(.+)$/.exec(line)?.[1];
    return command === undefined || /getty|\blogin\b|sulogin|askfirst/.test(command) ? [] : [command];
  });
}
