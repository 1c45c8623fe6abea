import test from 'ava';
import { describeMigration, exitCodeOf, type MigrationReport } from '../../src/report/migration-report.ts';
import { SURVEY_REPORT } from '../helpers/survey-report.ts';

const REPORT: MigrationReport = {
  ...SURVEY_REPORT,
  started: '',
  finished: '',
  durationMs: 1,
  stream: {
    entries: 1,
    contentBytes: 1,
    bytes: 1,
    milliseconds: 1,
    notAskedFor: 0,
    secondEntries: 0,
    missing: 0,
    missingPaths: [],
    changed: 0,
    changedPaths: [],
    problems: [],
    anomalies: {},
  },
  kept: { parts: 0, bytes: 0 },
  volumes: [],
  transport: { compression: 'none', reason: 'as asked for', measured: [], limitBytesPerSecond: null },
  settle: {
    rounds: 0,
    changed: 0,
    removed: 0,
    stillMoving: 0,
    stillMovingPaths: [],
    vanished: 0,
    unreadable: 0,
    unreadablePaths: [],
    leftOutLate: 0,
    leftOutLatePaths: [],
    torn: 0,
  },
  stopped: null,
  adaptation: null,
  image: { reference: 'a:b', digest: 'c', id: 'd', size: 1, layers: 1 },
  boot: null,
};

test('mounts with files that are not copied are named, those of the kernel are not', (t) => {
  const lines = describeMigration(REPORT).split('\n');
  const at = lines.indexOf('Not copied  2 mounts:');
  t.deepEqual(
    lines.slice(at + 1, at + 3).map((line) => line.trim()),
    ['/home: why /home', '/cd: why /cd'],
  );
  t.notRegex(describeMigration(REPORT), /why \/proc/);
});

test('what could not be looked at gives exit code 3', (t) => {
  t.is(exitCodeOf(REPORT), 0);
  t.is(exitCodeOf({ ...REPORT, listing: { entries: 1, problems: ['find: x'] } }), 3);
  t.is(exitCodeOf({ ...REPORT, settle: { ...REPORT.settle, unreadable: 1 } }), 3);
  const said = (problem: string): MigrationReport => ({ ...REPORT, stream: { ...REPORT.stream, problems: [problem] } });
  t.is(exitCodeOf({ ...REPORT, settle: { ...REPORT.settle, torn: 1 } }), 3);
  t.is(exitCodeOf(said('./a: file is unchanged; not dumped')), 0);
  t.is(exitCodeOf({ ...REPORT, settle: { ...REPORT.settle, stillMoving: 1 } }), 3);
});

test('what is in the image as it was once is told, where it is not among what still moves', (t) => {
  const lines = (torn: number, stillMoving: number): string =>
    describeMigration({ ...REPORT, settle: { ...REPORT.settle, torn, stillMoving } });
  t.regex(lines(1, 0), /^Not as now {2}1 path is in the image as it was once, .* a:b --verdict changed$/m);
  t.regex(lines(3, 2), /^Not as now {2}3 paths are/m);
  t.notRegex(lines(2, 2), /Not as now/);
});
