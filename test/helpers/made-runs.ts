/** Journals of runs that never were, for what reads journals: as many hosts as wanted, in every state. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Happening, stamped } from '../../src/report/events/schema.ts';

export const HOSTILE = [
  '</script><script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 1">',
  '"><svg onload=window.hacked=1>',
  "'; DROP TABLE hosts; --",
  '=HYPERLINK("http://evil.example")',
  '\u202egnp.exe',
  'a\u0000b\u001b[31m',
];

const SUITES = ['Debian GNU/Linux 11 (bullseye)', 'Debian GNU/Linux 12 (bookworm)', 'CentOS release 6.10 (Final)'];
const TOPS = [
  '/usr/lib',
  '/usr/share',
  '/var/lib/mysql',
  '/opt/app',
  '/home',
  '/srv/www',
  '/etc',
  '/usr/bin',
  '/var/log',
];
const BEGAN = Date.UTC(2026, 10, 21, 22, 0, 0);

/** Makes a store's folder with one run in it. @returns the run's name. */
export async function makeRun(root: string, hosts: number, names: readonly string[] = []): Promise<string> {
  const id = '20261121-220000-abcd';
  const lines: string[] = [];
  const add = (seconds: number, happening: Happening): void => {
    lines.push(JSON.stringify(stamped(happening, id, new Date(BEGAN + seconds * 1000))));
  };
  const all = Array.from({ length: hosts }, (_, index) => names[index] ?? `web${String(index + 1).padStart(4, '0')}`);
  add(0, {
    event: 'run-started',
    version: '0.1.0',
    verb: 'migrate',
    argv: ['-i', 'fleet.yaml'],
    folder: '/',
    hosts: all.map((name) => ({ name, target: `root@${name}:22`, image: `legacy/${name}:latest` })),
  });
  let end = 0;
  for (const [index, host] of all.entries()) end = Math.max(end, oneHost(host, index, add));
  add(end, { event: 'run-finished', exitCode: 1, done: 0, failed: 0, milliseconds: end * 1000 });
  await mkdir(join(root, 'runs', id), { recursive: true });
  await writeFile(join(root, 'runs', id, 'journal.ndjson'), `${lines.join('\n')}\n`);
  return id;
}

function oneHost(host: string, index: number, add: (seconds: number, happening: Happening) => void): number {
  let at = Math.floor(index / 4) * 30;
  const stage = (title: string, seconds: number, summary: string, outcome: 'done' | 'failed' = 'done'): void => {
    add(at, { event: 'stage-started', host, stage: title });
    at += seconds;
    add(at, { event: 'stage-ended', host, stage: title, outcome, milliseconds: seconds * 1000, summary });
  };
  const distribution = SUITES[index % SUITES.length] ?? '';
  const tarBytes = 150e6 + (index % 17) * 90e6;
  add(at, { event: 'host-started', host, attempt: 1 });
  stage('Connect', 1.2, 'as root');
  if (index % 9 === 5) {
    const error = {
      code: 'ssh.auth',
      message: `${host} does not let root in`,
      hint: 'name a key with --identity FILE',
      causes: [],
    };
    add(at, { event: 'host-failed', host, milliseconds: 1200, error });
    return at;
  }
  stage('Find the mounted filesystems', 0.4, `4 of 14 mounts, ${distribution}`);
  stage('List the files', 3.1, '84,120 entries');
  add(at, { event: 'host-facts', host, hostname: host, distribution, kernel: '2.6.32-754.el6', machine: 'x86_64' });
  add(at, { event: 'host-planned', host, entries: 84_120, bytes: tarBytes * 0.95, tarBytes, parts: 2 });
  stage('Stop the applications', 2.2, 'nginx, mysql');
  add(at, { event: 'applications-stopped', host, applications: ['nginx', 'mysql'] });
  stage('Stream the files', 14 + (index % 7), '1.2 GB in 14 s, 86 MB/s');
  add(at, { event: 'part-captured', host, part: 0, parts: 1, key: 'k', digest: 'sha256:0', bytes: tarBytes });
  stage('Settle what moved meanwhile', 2.4, '12 paths fetched again, 1 gone, in 1 round');
  stage('Start the applications again', 3.3, 'mysql was down 22 s, nginx was down 23 s');
  const downMs = 21_000 + (index % 7) * 1000;
  add(at, {
    event: 'applications-started',
    host,
    applications: [
      { name: 'mysql', downMs },
      { name: 'nginx', downMs: downMs + 900 },
    ],
  });
  if (index % 23 === 11) {
    stage('Account for every path', 1, '', 'failed');
    const error = {
      code: 'capture.unreadable',
      message: `3 paths on ${host} could not be read: /srv/data/a (Read error), /srv/data/b (Read error)`,
      hint: 'mend them there, leave them out with --exclude, or make the image without them: --skip-unreadable',
      causes: [`tar: ${host}: Input/output error`],
    };
    add(at, { event: 'host-failed', host, milliseconds: at * 1000, error });
    return at;
  }
  stage('Import the image', 1.1, `legacy/${host}:latest`);
  add(at, { event: 'note', host, line: `the clock of ${host} is 2 s ahead` });
  add(at, {
    event: 'host-done',
    host,
    exitCode: 0,
    milliseconds: at * 1000,
    result: resultOf(host, index, distribution, tarBytes, downMs),
  });
  return at;
}

function resultOf(host: string, index: number, distribution: string, bytes: number, downMs: number): object {
  return {
    source: { target: host, hostname: host, distribution, kernel: '2.6.32-754.el6', machine: 'x86_64' },
    listing: { entries: 84_120, problems: [] },
    duplicates: {
      total: 62,
      byCause: {},
      paths: [{ path: `/var/named/chroot/etc/${host}`, count: 2, cause: 'bind mount' }],
    },
    excluded: [
      {
        rule: 'base:/usr/lib/modules/**',
        reason: 'kernel modules: a container runs on the kernel of its host',
        entries: 4210,
        bytes: 61e6,
        examples: ['/usr/lib/modules/2.6.32'],
      },
      {
        rule: 'command line:/srv/backup/**',
        reason: 'asked for on the command line',
        entries: 12,
        bytes: 9e9,
        examples: [`/srv/backup/${host}`],
      },
    ],
    anatomy: {
      tops: TOPS.map((path, at) => ({
        path,
        entries: 900 * (at + 1),
        bytes: (bytes * (TOPS.length - at)) / 45 + index,
      })),
      largest: [{ path: '/var/lib/mysql/ibdata1', bytes: 79e6 }],
      hazards: [{ kind: 'files with holes', entries: 3, examples: ['/var/log/lastlog'] }],
    },
    ledger: [
      {
        at: '2026-11-21T22:00:01.000Z',
        purpose: 'list /',
        script: 'find / -xdev -printf …',
        code: 0,
        durationMs: 3100,
        changesSource: false,
      },
      {
        at: '2026-11-21T22:00:07.000Z',
        purpose: 'stop nginx',
        script: `service nginx stop\necho ${host}`,
        code: 0,
        durationMs: 900,
        changesSource: true,
      },
    ],
    stream: { entries: 84_000, contentBytes: bytes * 0.95, bytes, milliseconds: 14_000, problems: [] },
    settle: {
      rounds: 1,
      changed: 12,
      removed: 1,
      vanished: 1,
      torn: 0,
      unreadable: 0,
      unreadablePaths: [],
      leftOutLate: 0,
      leftOutLatePaths: [],
    },
    stopped: {
      milliseconds: downMs,
      leftAlone: ['postfix'],
      applications: [
        { name: 'nginx', downMs, health: [{ check: 'tcp 80', before: 'healthy', after: 'healthy', says: '' }] },
      ],
    },
    adaptation: {
      system: 'el6 (upstart)',
      recipes: [{ recipe: 'empty-fstab', files: ['/etc/fstab'] }],
      passedOver: [{ path: '/etc/ssh', why: 'it leads to /opt/ssh' }],
    },
    image: {
      reference: `legacy/${host}:latest`,
      digest: `sha256:${'0123456789abcdef'.repeat(4)}`,
      size: bytes,
      layers: 2,
    },
  };
}
