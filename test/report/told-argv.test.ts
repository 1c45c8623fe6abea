import test from 'ava';
import { stamped } from '../../src/report/events/schema.ts';
import { toldArgv, toldEvent } from '../../src/report/told-argv.ts';

test('commands of hooks and for passwords are in nothing that is told', (t) => {
  const names = [
    'pre',
    'post',
    'fail',
    'batch-pre',
    'batchPost',
    'batch-fail',
    'password-command',
    'becomePasswordCommand',
  ];
  const argv = ['-i', 'fleet.yaml', ...names.flatMap((name) => [`--${name}`, 'S3CRET', `--${name}=S3=CRET`])];
  t.deepEqual(toldArgv(argv), [
    '-i',
    'fleet.yaml',
    ...names.flatMap((name) => [`--${name}`, '[command]', `--${name}=[command]`]),
  ]);
});

test('everything else is told as it was typed', (t) => {
  const argv = [
    'old',
    '--prefer',
    'x',
    '--change=ENV a=b',
    '--password-fd',
    '3',
    '--exclude',
    '/a=b',
    '--fail-fast',
    'web1',
  ];
  t.deepEqual(toldArgv(argv), argv);
});

test('the event of a run has them as told', (t) => {
  const told = (argv: string[]) =>
    stamped({ event: 'run-started', version: '1', verb: 'audit', argv, hosts: [] }, 'r', new Date(0));
  t.deepEqual(toldEvent(told(['--pre', 'S3CRET'])), told(['--pre', '[command]']));
});
