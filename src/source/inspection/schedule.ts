/** What a server does by the clock: crontabs, directories of cron, timers of systemd, jobs of at. */
import { type Fact, known } from './fact.ts';
import { redact } from './redact.ts';
import type { Answers, Section } from './sections.ts';

export interface Job {
  /** The file, or `systemd`. */
  readonly from: string;
  /** `17 * * * *`, `@daily`, `daily`, the name of a timer. */
  readonly when: string;
  /** Passwords left out. */
  readonly what: string;
}

/** /dev/null beside the files makes grep name the file, be it one alone. */
const LINES = "grep -sE '^[[:space:]]*[^#[:space:]]'";

export const SCHEDULE_SECTIONS: readonly Section[] = [
  { name: 'crontabs', script: `${LINES} /etc/crontab /etc/cron.d/* /etc/crontabs/* /dev/null`, maxBytes: 128 * 1024 },
  {
    name: 'user-crontabs',
    script: `${LINES} /var/spool/cron/crontabs/* /var/spool/cron/tabs/* /var/spool/cron/* /dev/null`,
    maxBytes: 128 * 1024,
  },
  {
    name: 'user-crontabs-closed',
    script:
      'for d in /var/spool/cron/crontabs /var/spool/cron/tabs /var/spool/cron; do [ -d $d ] && [ ! -r $d ] && echo closed; done',
    maxBytes: 64,
  },
  {
    name: 'periodic',
    script: 'ls -d /etc/cron.hourly/* /etc/cron.daily/* /etc/cron.weekly/* /etc/cron.monthly/* /etc/periodic/*/*',
    maxBytes: 64 * 1024,
  },
  { name: 'anacrontab', script: `${LINES} /etc/anacrontab /dev/null`, maxBytes: 16_384 },
  {
    name: 'timers',
    script: '[ -d /run/systemd/system ] && systemctl list-unit-files --type=timer --no-legend --no-pager --full',
    maxBytes: 64 * 1024,
  },
  {
    name: 'at',
    script: 'ls -d /var/spool/at/[a-z]* /var/spool/atjobs/[a-z]* /var/spool/cron/atjobs/[a-z]*',
    maxBytes: 16_384,
  },
];

export function readSchedule(answers: Answers): Fact<Job[]> {
  const jobs = [
    ...answers.lines('crontabs').flatMap((line) => cronJob(line, !line.startsWith('/etc/crontabs/'))),
    ...answers.lines('user-crontabs').flatMap((line) => cronJob(line, false)),
    ...answers.lines('anacrontab').flatMap(anacronJob),
    ...answers.lines('periodic').flatMap(periodicJob),
    ...answers.lines('timers').flatMap((line) => {
      const name = /^(\S+\.timer)\s+(?:enabled|static)/.exec(line)?.[1];
      return name === undefined ? [] : [{ from: 'systemd', when: name, what: name.replace(/\.timer$/, '.service') }];
    }),
    ...answers.lines('at').map((path) => ({ from: 'at', when: 'once', what: path })),
  ];
  const closed = answers.line('user-crontabs-closed') !== '';
  return known(jobs, closed ? "not root: users' own crontabs are not seen" : answers.note('crontabs', 'user-crontabs'));
}

/** `FILE:M H D M W [USER] COMMAND` (crontab(5)); settings of variables are no jobs. */
function cronJob(line: string, hasUser: boolean): Job[] {
  const [, from, entry] = /^(\/[^:]+):\s*(.*)$/.exec(line) ?? [];
  if (from === undefined || entry === undefined || /^\w+\s*=/.test(entry)) return [];
  const [, when, rest] = /^(@\w+|(?:\S+\s+){4}\S+)\s+(.+)$/.exec(entry) ?? [];
  if (when === undefined || rest === undefined) return [];
  const what = hasUser ? rest.replace(/^\S+\s+/, '') : rest;
  return [{ from, when: when.replace(/\s+/g, ' '), what: redact(what) }];
}

/** `1 5 cron.daily run-parts /etc/cron.daily` (anacrontab(5)): what it runs is listed anyway. */
function anacronJob(line: string): Job[] {
  const [, entry] = /^\/[^:]+:\s*(.*)$/.exec(line) ?? [];
  const [, days, what] = /^(\d+|@\w+)\s+\d+\s+\S+\s+(.+)$/.exec(entry ?? '') ?? [];
  if (days === undefined || what === undefined || what.includes('run-parts')) return [];
  return [{ from: '/etc/anacrontab', when: `every ${days} days`, what: redact(what) }];
}

function periodicJob(path: string): Job[] {
  const [, when, name] = /^\/etc\/(?:cron\.|periodic\/)(\w+)\/(.+)$/.exec(path) ?? [];
  if (when === undefined || name === undefined || name.startsWith('.')) return [];
  return [{ from: path.slice(0, -name.length - 1), when, what: path }];
}
