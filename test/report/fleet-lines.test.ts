import test from 'ava';
import { fleetLines, lastOffset, roomFor, type Screen } from '../../src/report/fleet-lines.ts';
import { type HostRecord, happen, newHost } from '../../src/report/run-record.ts';

const T0 = Date.UTC(2026, 10, 21);
const SCREEN: Screen = { width: 80, height: 24, offset: 0, now: T0 + 20_000, colours: false };

function hosts(count: number, failed = 0): HostRecord[] {
  return Array.from({ length: count }, (_, at) => {
    const name = `web${String(at + 1).padStart(2, '0')}`;
    const host = newHost({ name, target: `root@${name}:22`, image: `${name}:1` });
    const error = { code: 'ssh.auth', message: `${name} does not let root in`, causes: [] };
    if (at < failed) happen(host, { event: 'host-failed', host: name, milliseconds: 1, error }, T0 + at);
    return host;
  });
}

test('forty hosts on a screen of 24 lines: a heading, what failed, and as many hosts as fit', (t) => {
  const lines = fleetLines(hosts(40, 2), SCREEN);
  t.true(lines.length < 24, 'a line stays for the cursor');
  t.is(lines[0], '40 hosts: 38 waiting, 2 failed');
  t.deepEqual(lines.slice(1, 3), ['✗ web01: web01 does not let root in', '✗ web02: web02 does not let root in']);
  t.is(lines[3], '· web03  waits');
  t.is(lines.at(-1), '  1-19 of 40 hosts; arrows, page up and page down scroll');
});

test('of many failures the newest are shown, and the others counted', (t) => {
  const lines = fleetLines(hosts(40, 9), SCREEN);
  t.regex(lines[1] ?? '', /web05/);
  t.is(lines[6], '  and 4 more failed before');
});

test('a page down shows the hosts that follow, none left out, and the end is reached', (t) => {
  const all = hosts(40, 2);
  const page = roomFor(all, SCREEN.height);
  const listed = (offset: number): string[] =>
    fleetLines(all, { ...SCREEN, offset }).flatMap((line) => /^[·✗] (web\d\d) {2}/.exec(line)?.[1] ?? []);
  const seen = [0, page, 2 * page].flatMap(listed);
  t.is(new Set(seen).size, 40);
  t.is(listed(lastOffset(all, SCREEN.height)).at(-1), 'web02');
  t.is(listed(1000).length, page, 'no further than the end');
});

test('a host under way: its stage, share, rate, time left and how long its applications are stopped', (t) => {
  const host = newHost({ name: 'frankfurt-production-web01', target: 'root@h:22', image: null });
  const at = { host: host.name };
  happen(host, { event: 'host-started', ...at, attempt: 1 }, T0);
  happen(host, { event: 'stage-started', ...at, stage: 'Stop the applications' }, T0 + 1000);
  happen(host, { event: 'applications-stopped', ...at, applications: ['nginx'] }, T0 + 9000);
  happen(host, { event: 'stage-started', ...at, stage: 'Stream the files' }, T0 + 10_000);
  const progress = { event: 'progress', ...at, stage: 'Stream the files', line: '', done: 5e8, total: 1e9 } as const;
  happen(host, progress, T0 + 20_000);
  const line = (width: number) => fleetLines([host], { ...SCREEN, width }).at(-1);
  t.is(line(80), '» frankfur…n-web01  Stream the files  50%  50.0 MB/s  10.0 s left  down 19.0 s');
  const wide = '» frankfurt-production-web01  Stream the files  50% of 1.00 GB  50.0 MB/s  10.0 s left  down 19.0 s';
  t.is(line(120), wide);
});

test('no line is wider than the terminal, and none holds what moves the cursor', (t) => {
  const [host] = hosts(1);
  if (host === undefined) throw new Error('no host');
  const error = { code: 'x', message: `\x1b[2J\n${'ü'.repeat(200)}`, causes: [] };
  happen(host, { event: 'host-failed', host: host.name, milliseconds: 1, error }, T0);
  for (const line of fleetLines([host], { ...SCREEN, width: 30 })) {
    t.true(Array.from(line).length <= 30);
    t.notRegex(line, /[\x00-\x1f]/);
  }
});

test('a host between two attempts waits, and one that was never begun has not failed', (t) => {
  const [retried, given] = hosts(2);
  if (retried === undefined || given === undefined) throw new Error('no hosts');
  const error = { code: 'ssh.lost', message: 'the link is gone', causes: [] };
  happen(retried, { event: 'host-started', host: retried.name, attempt: 1 }, T0);
  happen(retried, { event: 'host-failed', host: retried.name, milliseconds: 1, error }, T0 + 1000);
  happen(retried, { event: 'host-retrying', host: retried.name, failures: 1, waitMs: 5000, error }, T0 + 1000);
  const why = { ...error, message: 'it was not begun: 1 host had failed before' };
  happen(given, { event: 'host-failed', host: given.name, milliseconds: 0, error: why, begun: false }, T0);
  const lines = fleetLines([retried, given], SCREEN);
  t.is(lines.length, 3, 'nothing has failed');
  t.is(lines[0], '2 hosts: 1 waiting, 1 not begun');
  t.regex(lines[1] ?? '', /^· web01 {2}waits until it is tried again .*\d\d:\d\d:\d\d$/);
  t.is(lines[2], '- web02  it was not begun: 1 host had failed before');
});
