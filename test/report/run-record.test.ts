import test from 'ava';
import { runCsv } from '../../src/report/csv.ts';
import { type Happening, stamped } from '../../src/report/events/schema.ts';
import { reportPage } from '../../src/report/html/page.ts';
import { runJunit } from '../../src/report/junit.ts';
import { type RunRecord, recordOf } from '../../src/report/run-record.ts';
import { cutOffRun } from '../../src/report/run-state.ts';

const RUN = '20261121-220000-abcd';

/** A run of one host, with a second between its events. */
function runOf(...happenings: readonly Happening[]): RunRecord {
  const start: Happening = {
    event: 'run-started',
    version: '0.1.0',
    verb: 'migrate',
    hosts: [{ name: 'web1', target: 'root@web1:22', image: 'web1:latest' }],
  };
  const events = [start, ...happenings].map((each, at) =>
    stamped(each, RUN, new Date(Date.UTC(2026, 10, 21) + at * 1000)),
  );
  const run = recordOf(events);
  if (run === undefined) throw new Error('the events make no run');
  return run;
}

const host = 'web1';
const error = { code: 'ssh.lost', message: 'the link is gone', causes: [] };

function command(second: number, purpose: string): Happening {
  const at = new Date(Date.UTC(2026, 10, 21) + second * 1000).toISOString();
  return {
    event: 'command',
    host,
    at,
    purpose,
    script: `do ${purpose}`,
    exitCode: 0,
    milliseconds: 5,
    changesSource: true,
  };
}

test('the report lists what ran on a server whose migration failed', (t) => {
  const run = runOf({ event: 'host-started', host, attempt: 1 }, command(2, 'stop nginx'), {
    event: 'host-failed',
    host,
    milliseconds: 1,
    error,
  });
  const page = reportPage(run, 'failed');
  t.regex(page, /Commands on the server<\/h4><p>1 in all, of which 1 changed something there/);
  t.regex(page, /<code>do stop nginx<\/code>/);
});

test('commands of the attempt that went well are in its result, those before it beside it', (t) => {
  const ledger = [{ at: '2026-11-21T00:00:05.000Z', purpose: 'list /', script: 'find', code: 0, durationMs: 1 }];
  const run = runOf(
    { event: 'host-started', host, attempt: 1 },
    command(2, 'stop nginx'),
    { event: 'host-failed', host, milliseconds: 1, error },
    { event: 'host-started', host, attempt: 2 },
    command(5, 'list /'),
    { event: 'host-done', host, exitCode: 0, milliseconds: 1, result: { ledger } },
  );
  t.deepEqual(
    run.hosts[0]?.commands.map(({ purpose }) => purpose),
    ['stop nginx'],
  );
  t.regex(reportPage(run, 'done'), /<p>2 in all, of which 1 changed/);
});

test('a host that was never begun has a state of its own, and is skipped for CI', (t) => {
  const given = { ...error, message: 'it was not begun: 1 host had failed before' };
  const run = runOf({ event: 'host-failed', host, milliseconds: 0, error: given, begun: false });
  t.is(run.hosts[0]?.state, 'not begun');
  t.regex(runJunit(run), /failures="0" .*skipped="1"/);
  t.regex(runJunit(run), /<skipped message="it was not begun: 1 host had failed before"\/>/);
  t.regex(runCsv(run), /^web1,root@web1:22,not begun,/m);
  t.regex(reportPage(run, 'failed'), /class="state not-begun">not begun</);
});

test('one that an earlier process had begun has been begun', (t) => {
  const run = runOf(
    { event: 'host-started', host, attempt: 1 },
    { event: 'host-failed', host, milliseconds: 1, error },
    { event: 'run-resumed', version: '0.1.0' },
    { event: 'host-failed', host, milliseconds: 0, error, begun: false },
  );
  t.is(run.hosts[0]?.state, 'failed');
});

test('a host that waits for its next attempt is not counted as failed', (t) => {
  const run = runOf(
    { event: 'host-started', host, attempt: 1 },
    { event: 'host-failed', host, milliseconds: 1, error },
    { event: 'host-retrying', host, failures: 1, waitMs: 5000, error },
  );
  t.is(run.hosts[0]?.state, 'waiting');
  t.regex(run.hosts[0]?.waiting ?? '', /^until it is tried again /);
});

test('of a run whose process was killed no host is shown as under way', (t) => {
  const running = runOf({ event: 'host-started', host, attempt: 1 });
  const waiting = runOf();
  for (const run of [running, waiting]) cutOffRun(run);
  t.deepEqual([running.hosts[0]?.state, waiting.hosts[0]?.state], ['cut off', 'not begun']);
});
