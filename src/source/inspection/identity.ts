/** Where and when a server believes to be, and how large it is. */
import { parseAssignments } from '../tools.ts';
import { type Fact, known } from './fact.ts';
import { unquote } from './release.ts';
import type { Answers, Section } from './sections.ts';

export const IDENTITY_SECTIONS: readonly Section[] = [
  { name: 'localtime', script: 'readlink /etc/localtime', maxBytes: 4096 },
  { name: 'timezone', script: 'cat /etc/timezone', maxBytes: 256 },
  { name: 'clock', script: "grep -E '^(ZONE|TIMEZONE)=' /etc/sysconfig/clock", maxBytes: 1024 },
  { name: 'offset', script: "date '+%Z %z'", maxBytes: 64 },
  {
    name: 'locale',
    script:
      'for f in /etc/locale.conf /etc/default/locale /etc/sysconfig/i18n /etc/sysconfig/language /etc/environment; do grep -E "^(export )?(LANG|LC_ALL|RC_LANG)=" $f; done',
    maxBytes: 4096,
  },
  { name: 'meminfo', script: 'cat /proc/meminfo', maxBytes: 8192 },
  { name: 'processors', script: "grep -c '^processor' /proc/cpuinfo", maxBytes: 64 },
  { name: 'uptime', script: 'cat /proc/uptime', maxBytes: 128 },
  { name: 'shm', script: 'df -P -k /dev/shm | sed -n 2p', maxBytes: 512 },
  { name: 'sysv-shm', script: 'cat /proc/sysvipc/shm', maxBytes: 64 * 1024 },
];

/** `Europe/Berlin`: from the link of /etc/localtime, /etc/timezone, or /etc/sysconfig/clock; with what date(1) says of it. */
export function readTimeZone(answers: Answers): Fact<string> {
  const link = /zoneinfo\/(?:posix\/|right\/)?(.+)$/.exec(answers.line('localtime'))?.[1];
  const clock = parseAssignments(answers.text('clock'));
  const name = link ?? (answers.line('timezone') || unquote(clock.get('ZONE') ?? clock.get('TIMEZONE') ?? ''));
  const offset = answers.line('offset');
  if (name !== '') return known(name, offset === '' ? undefined : offset);
  return offset === '' ? answers.none('neither a file nor date tells') : known(offset, 'no file names the zone');
}

export function readLocale(answers: Answers): Fact<string> {
  const values = answers
    .lines('locale')
    .flatMap((line) => /^(?:export )?(?:LANG|LC_ALL|RC_LANG)=(.+)$/.exec(line)?.[1] ?? []);
  const [locale] = values.map(unquote).filter((value) => value !== '');
  return locale === undefined ? answers.none('no file sets one: programs use C') : known(locale);
}

export interface Resources {
  readonly memoryBytes: number;
  readonly processors: number;
  readonly uptimeSeconds: number;
  /** In /dev/shm and in System V segments. */
  readonly sharedMemoryBytes: number;
  readonly hugePages: number;
}

export function readResources(answers: Answers): Fact<Resources> {
  const memory = (key: string): number => {
    const line = answers.lines('meminfo').find((each) => each.startsWith(`${key}:`));
    return Number(/(\d+)/.exec(line ?? '')?.[1] ?? 0);
  };
  if (memory('MemTotal') === 0) return answers.none('/proc/meminfo cannot be read');
  const shm = Number(answers.line('shm').trim().split(/\s+/)[2] ?? 0);
  return known({
    memoryBytes: memory('MemTotal') * 1024,
    processors: Number(answers.line('processors')) || 1,
    uptimeSeconds: Number(answers.line('uptime').split(' ')[0]) || 0,
    sharedMemoryBytes: (Number.isFinite(shm) ? shm : 0) * 1024 + sysvBytes(answers.lines('sysv-shm')),
    hugePages: memory('HugePages_Total'),
  });
}

/** `key shmid perms size …`, with a heading (proc(5), /proc/sysvipc/shm). */
function sysvBytes(lines: readonly string[]): number {
  return lines.slice(1).reduce((sum, line) => sum + (Number(line.trim().split(/\s+/)[3]) || 0), 0);
}
