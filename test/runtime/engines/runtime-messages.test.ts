/** What OCI runtimes say when they refuse: texts of runc 1.1.5 and crun 1.8.1. */
import test from 'ava';
import { parseRefusal } from '../../../src/runtime/engines/runtime-messages.ts';

const runc = (msg: string): string => JSON.stringify({ level: 'error', msg, time: '2026-01-01T00:00:00Z' });

for (const [what, text, exitCode] of [
  [
    'runc, no such command',
    runc('runc run failed: unable to start container process: exec: "x": executable file not found in $PATH'),
    127,
  ],
  [
    'runc, no such path',
    runc('exec failed: unable to start container process: exec: "/x": stat /x: no such file or directory'),
    127,
  ],
  ['runc, no program', runc('unable to start container process: exec: "/etc/passwd": permission denied'), 126],
  ['runc, another machine’s program', runc('exec /bin/x: exec format error'), 126],
  [
    'crun, no such command',
    '{"msg":"executable file `x` not found in $PATH: No such file or directory","level":"error"}',
    127,
  ],
  ['crun, no program', '{"msg":"exec `/etc/passwd`: Permission denied","level":"error"}', 126],
  ['a fault of the machine', runc('error mounting "proc" to rootfs: operation not permitted'), undefined],
  ['a script before the runtime', 'mount: root: must be superuser\n', undefined],
] as const) {
  test(`${what}: ${exitCode ?? 'no exit code of a command'}`, (t) => {
    const refusal = parseRefusal(`{"level":"warning","msg":"some advice"}\n${text}\n`);
    t.is(refusal?.exitCode, exitCode);
    t.false(refusal?.message.includes('advice'));
  });
}

test('a runtime that only warns refuses nothing', (t) => {
  t.is(parseRefusal('{"level":"warning","msg":"exec: not found"}\n'), undefined);
  t.is(parseRefusal(''), undefined);
});
