/** A run that goes on: hosts that are not done, and that are meant no more, are neither forgotten nor taken for done. */
import test from 'ava';
import { tallyOf, worstExitCode } from '../../src/commands/fleet-outcomes.ts';
import { leftOutOf, leftOutOutcomes } from '../../src/commands/left-out.ts';
import { ExitCode, P2cError } from '../../src/errors.ts';
import { newHost, type RunRecord } from '../../src/report/run-record.ts';

const RUN: RunRecord = {
  id: '20261121-220000-abcd',
  version: '0',
  verb: 'migrate',
  argv: [],
  folder: undefined,
  began: 0,
  lastSeen: 0,
  exitCode: undefined,
  resumed: 0,
  hosts: (['done', 'failed', 'not begun'] as const).map((state, at) => ({
    ...newHost({ name: `web${at + 1}`, target: 'root@h:22', image: null }),
    state,
  })),
};

test('a host that the inventory has lost is no host that is done', (t) => {
  t.deepEqual(leftOutOf(RUN, [{ name: 'web2' }, { name: 'web3' }], false), [], 'what is done may be gone');
  const { message, exitCode } = t.throws(() => leftOutOf(RUN, [{ name: 'web1' }, { name: 'web3' }], false), {
    instanceOf: P2cError,
    code: 'run.changed',
  });
  t.is(exitCode, ExitCode.usage);
  t.regex(message, /^web2 of the run 20261121-220000-abcd is not done/);
  t.throws(() => leftOutOf(RUN, [], false), { message: /^web2, web3 of the run .* are not done/ });
});

test('a limit that is given with --resume leaves hosts out, and they count as not begun', (t) => {
  const names = leftOutOf(RUN, [{ name: 'web3' }], true);
  t.deepEqual(names, ['web2']);
  const outcomes = [{ host: { name: 'web3' }, result: 0 }, ...leftOutOutcomes(names)];
  t.deepEqual(tallyOf<number>(outcomes), { done: 1, failed: 0, notBegun: 1 });
  t.is(
    worstExitCode<number>(outcomes, () => ExitCode.done),
    ExitCode.failed,
  );
});
