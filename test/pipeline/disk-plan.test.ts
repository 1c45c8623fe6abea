import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { describeDiskPlan, estimates } from '../../src/pipeline/disk-plan.ts';

const GB = 1e9;

test('a host that cannot be asked is counted, and holds up nobody', async (t) => {
  const asked = await estimates([{ name: 'a' }, { name: 'b' }], { concurrency: 2 }, async ({ name }) => {
    if (name === 'a') throw new Error('refused');
    return GB;
  });
  t.deepEqual(asked, [
    { host: 'a', bytes: null },
    { host: 'b', bytes: GB },
  ]);
});

/** How many of 20 hosts are asked at once at most, of which `all` also lie behind one jump host and in one group. */
async function mostAtOnce(limits: Parameters<typeof estimates>[1], all = true): Promise<number> {
  const hosts = Array.from({ length: 20 }, (_, index) => ({
    name: `h${index}`,
    ...(all ? { jump: 'gate', groups: ['web'], after: ['h0'], opens: () => Number.POSITIVE_INFINITY } : {}),
  }));
  let now = 0;
  let most = 0;
  const asked = await estimates(hosts, limits, async ({ name }) => {
    now += 1;
    most = Math.max(most, now);
    await setTimeout(1);
    now -= 1;
    return Number(name.slice(1));
  });
  if (asked.some(({ host, bytes }, index) => host !== `h${index}` || bytes !== index)) throw new Error('not all asked');
  return most;
}

test('no more are asked at once than may be migrated at once', async (t) => {
  t.is(await mostAtOnce({ concurrency: 100 }), 8);
  t.is(await mostAtOnce({ concurrency: 3 }), 3);
  t.is(await mostAtOnce({ concurrency: 100, perJump: 1 }), 1);
  t.is(await mostAtOnce({ concurrency: 100, perGroup: new Map([['web', 2]]) }), 2);
  t.is(await mostAtOnce({ concurrency: 100, perJump: 1 }, false), 8);
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
