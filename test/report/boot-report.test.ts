import test from 'ava';
import { ExitCode, P2cError } from '../../src/errors.ts';
import { type BootReport, bootFailure, describeBoot, isBootedWell } from '../../src/report/boot-report.ts';

const BOOTED: BootReport = {
  outcome: 'booted',
  container: {
    id: 'f00',
    name: 'old',
    init: 'system',
    why: 'the label says sysvinit\u001b[31m',
    engine: 'runc',
    networks: ['quarantine'],
    heldBack: 'cron, one timer',
  },
  layers: 9,
  unpackedEarly: 8,
  startedAfterMs: 1234,
  health: [{ application: 'nginx', check: 'tcp 80', before: 'healthy', after: 'healthy', says: '' }],
  ports: [
    { port: 25, state: 'held back' },
    { port: 80, state: 'listens' },
  ],
  error: null,
};

test('one that does what its server did is well, and what is held back is no fault', (t) => {
  t.true(isBootedWell(BOOTED));
  t.is(bootFailure(BOOTED, 'old:1'), undefined);
  t.deepEqual(describeBoot(BOOTED), [
    'Booted      old, 1.2 s after the last byte: its own init, on the network quarantine, in quarantine: cron, one timer held back',
    '              the label says sysvinit\\x1b[31m',
    '              8 of 9 layers were unpacked before the image was imported',
    'In it       1 of 1 checks are well, 1 of 1 ports listen',
    '              port 25: held back with the mail of the server',
    "              'p2c release old' ends its quarantine",
  ]);
});

test('a port that is silent, or a check that fails, is named', (t) => {
  const silent: BootReport = { ...BOOTED, ports: [{ port: 3306, state: 'silent' }] };
  t.false(isBootedWell(silent));
  t.true(describeBoot(silent).includes('              port 3306: listened on the server, and nobody listens here'));
  const says = 'nobody listens on port 80';
  const sick: BootReport = { ...BOOTED, health: BOOTED.health.map((each) => ({ ...each, after: 'sick', says })) };
  t.false(isBootedWell(sick));
  t.regex(
    describeBoot(sick).join('\n'),
    /nginx, tcp 80: healthy on the server, sick here \(nobody listens on port 80\)/,
  );
  t.true(isBootedWell({ ...sick, health: sick.health.map((each) => ({ ...each, before: 'sick' })) }));
});

test('one that did not boot is an error that names the image, the remedy and the cause', (t) => {
  const error = { code: 'boot.ended', message: 'the container old ended', hint: 'look', causes: ['it said last: no'] };
  const failed: BootReport = { ...BOOTED, outcome: 'failed', error };
  const told = bootFailure(failed, 'old:1');
  t.true(told instanceof P2cError);
  t.is(told?.message, 'the image old:1 was made, but it did not boot: the container old ended');
  t.is(told?.exitCode, ExitCode.failed);
  t.is(told?.hint, 'look');
  t.is(told?.cause instanceof Error ? told.cause.message : '', 'it said last: no');
  t.deepEqual(describeBoot(failed), [
    'NOT BOOTED  the container old ended',
    "              'p2c logs old' has what it said, 'p2c rm -f old' removes it",
  ]);
  t.deepEqual(describeBoot({ ...failed, container: null }), ['NOT BOOTED  the container old ended']);
});
