import test from 'ava';
import { describeDiskPlan, estimates } from '../../src/pipeline/disk-plan.ts';

const GB = 1e9;

test('a host that cannot be asked is counted, and holds up nobody', async (t) => {
  const asked = await estimates([{ name: 'a' }, { name: 'b' }], async ({ name }) => {
    if (name === 'a') throw new Error('refused');
    return GB;
  });
  t.deepEqual(asked, [
    { host: 'a', bytes: null },
    { host: 'b', bytes: GB },
  ]);
});

test('what all hosts hold is told beside what is free', (t) => {
  const hosts = [
    { host: 'a', bytes: 30 * GB },
    { host: 'b', bytes: null },
    { host: 'c', bytes: 40 * GB },
  ];
  t.is(
    describeDiskPlan({ hosts, free: 100 * GB }),
    '2 hosts hold at most 70.0 GB, beside 1 that could not be asked; the store has 100 GB free',
  );
  t.regex(describeDiskPlan({ hosts: hosts.slice(1, 2), free: GB }), /is not known: none could be asked/);
  t.regex(describeDiskPlan({ hosts, free: 50 * GB }), /has 50\.0 GB free: from c on, they may not fit/);
  t.regex(describeDiskPlan({ hosts: hosts.slice(0, 1), free: GB }), /^1 host holds at most 30\.0 GB; .*: from a on/);
});
