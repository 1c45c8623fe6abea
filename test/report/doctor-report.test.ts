import test from 'ava';
import { describeDoctor } from '../../src/report/doctor-page.ts';
import { doctorReport } from '../../src/report/doctor-report.ts';
import type { Machine } from '../../src/runtime/machine/machine.ts';
import { MACHINE } from '../helpers/inspection.ts';

const unshare = { name: 'unshare', purpose: 'running containers', package: 'util-linux', required: true };

const GOOD: Machine = {
  ...MACHINE,
  engines: [
    { name: 'namespaces', version: null, works: { able: true } },
    { name: 'runc', version: 'runc version 1.1.5', works: { able: true } },
    { name: 'crun', version: null, works: { able: false, reason: 'not installed' } },
  ],
  programs: [{ ...unshare, path: '/usr/bin/unshare' }],
};

test('a machine that has all runs containers by every engine that works', (t) => {
  const report = doctorReport(GOOD);
  t.true(report.canRun);
  t.deepEqual(report.engines, ['namespaces', 'runc']);
  t.deepEqual(
    report.checks.filter(({ state }) => state === 'missing'),
    [],
  );
  t.regex(describeDoctor(report, 100), /This machine runs containers with: namespaces, runc$/);
});

test('what no container can do without makes the answer no, and each is named', (t) => {
  const no = { able: false, reason: 'Operation not permitted' } as const;
  const withoutRoot = [{ what: 'newuidmap is not installed', remedy: 'install uidmap' }];
  const poor: Partial<Machine>[] = [
    { root: false, withoutRoot },
    { overlay: no },
    { programs: [{ ...unshare, path: null }] },
  ];
  for (const lack of poor) {
    const report = doctorReport({ ...GOOD, ...lack });
    t.false(report.canRun);
    const missing = report.checks.filter(({ state }) => state === 'missing');
    t.is(missing.length, 1);
    t.not(missing[0]?.remedy, null);
    t.regex(describeDoctor(report, 100), /cannot run containers/);
  }
});

test('where no engine runs a container, none can be run', (t) => {
  const engines = [{ name: 'namespaces' as const, version: null, works: { able: false, reason: 'no' } as const }];
  t.false(doctorReport({ ...GOOD, engines }).canRun);
  const untried = [{ name: 'runc' as const, version: null, works: { able: 'unknown', reason: 'no' } as const }];
  t.false(doctorReport({ ...GOOD, engines: untried }).canRun);
});

test('what only some servers need is lacking, with a remedy, and stops nothing', (t) => {
  const report = doctorReport({
    ...GOOD,
    vsyscall: 'none',
    ia32: { able: false, reason: 'ENOEXEC' },
    cni: { folder: null, found: [], missing: ['bridge'] },
  });
  t.true(report.canRun);
  const lacking = report.checks.filter(({ state, remedy }) => state === 'lacking' && remedy !== null);
  t.deepEqual(
    lacking.map(({ id }) => id),
    ['vsyscall', '32-bit programs', 'CNI plugins'],
  );
  t.regex(describeDoctor(report, 100), /vsyscall: boot with 'vsyscall=emulate'/);
});

test('what crashes left is named on the page, and no name of it moves the terminal', (t) => {
  const stray = {
    kind: 'file' as const,
    what: '/tmp/p2c-run-\u001b[2J',
    of: 'a p2c that was killed',
    remove: async () => {},
  };
  const page = describeDoctor(doctorReport(GOOD, [stray]), 100);
  t.regex(page, /^Left by crashes\n {2}file \/tmp\/p2c-run-\S+, of a p2c that was killed\n.*--clean/m);
  t.false(page.includes('\u001b'));
  t.notRegex(describeDoctor(doctorReport(GOOD), 100), /Left by crashes/);
});
