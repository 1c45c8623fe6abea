import test from 'ava';
import type { ResumeReport } from '../../src/profiles/quiesce.ts';
import { describeStop, isHealthy, stoppedAndLeft, stoppedAndStarted } from '../../src/report/stop-report.ts';

const RESUMED: ResumeReport = {
  applications: [
    { name: 'mysql', downMs: 12_000, byWatchdog: false, steps: [], trouble: null },
    { name: 'nginx', downMs: 15_000, byWatchdog: false, steps: [], trouble: null },
  ],
  leftAlone: ['redis'],
  notes: [],
  health: [
    { application: 'nginx', check: 'tcp 80', before: 'healthy', after: 'healthy', says: '' },
    { application: 'nginx', check: 'tcp 443', before: 'sick', after: 'sick', says: 'nobody listens on port 443' },
  ],
  differences: [],
};

test('who was down for how long, who did not run, and what was not well before either', (t) => {
  const report = stoppedAndStarted(RESUMED);
  t.is(report.milliseconds, 15_000);
  t.deepEqual(
    report.applications.map(({ health }) => health.length),
    [0, 2],
  );
  // What was sick before is no fault of the stop.
  t.true(isHealthy(report));
  t.deepEqual(describeStop(report, 'old'), [
    'Stopped     mysql 12.0 s, nginx 15.0 s; not running before: redis',
    'Healthy     1 of 2 checks, before and after',
    '              nginx, tcp 443: sick before, sick after (nobody listens on port 443)',
  ]);
});

test('what came up though its start failed is told with how it did', (t) => {
  const trouble = "start nginx: 'service nginx start' ended with exit code 1 after 3.0 s";
  const [mysql] = RESUMED.applications;
  if (mysql === undefined) return t.fail();
  const report = stoppedAndStarted({ ...RESUMED, applications: [mysql, { ...mysql, name: 'nginx', trouble }] });
  t.is(describeStop(report, 'old')[1], `              nginx is up, though ${trouble}`);
});

test('what was healthy before and is not known to be so after is worse', (t) => {
  for (const after of ['sick', 'unknown'] as const) {
    const health = [{ application: 'nginx', check: 'tcp 80', before: 'healthy' as const, after, says: '' }];
    t.false(isHealthy(stoppedAndStarted({ ...RESUMED, health })));
  }
});

test('differences are told, the first twenty of many', (t) => {
  const differences = Array.from({ length: 25 }, (_, index) => ({
    kind: 'listener' as const,
    name: `tcp 0.0.0.0:${index}`,
    change: 'gone' as const,
  }));
  const lines = describeStop(stoppedAndStarted({ ...RESUMED, health: [], differences }), 'old');
  t.deepEqual(lines.slice(1, 3), ['Differs     from before the stop:', '              listener tcp 0.0.0.0:0 is gone']);
  t.is(lines.at(-1), '              and 5 more');
});

test('what was left stopped is said first, with the commands that start it', (t) => {
  const left = { applications: [{ name: 'nginx', downMs: 1, byHand: ['service nginx start', 'echo \u001b[2J'] }] };
  t.deepEqual(describeStop(stoppedAndLeft(left, []), 'old'), [
    'LEFT DOWN   nginx: stopped on old, and they stay so until somebody starts them or it boots',
    '              service nginx start',
    '              echo \\x1b[2J',
  ]);
});

test('nothing was stopped', (t) => {
  t.deepEqual(describeStop(null, 'old'), ['Stopped     nothing: no profile applies, or --no-stop']);
  t.deepEqual(describeStop(stoppedAndLeft({ applications: [] }, ['nginx']), 'old'), [
    'Stopped     nothing; not running before: nginx',
  ]);
});
