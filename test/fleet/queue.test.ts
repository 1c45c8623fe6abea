import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { requireNoCircle } from '../../src/fleet/circle.ts';
import { Queue, type QueuedHost, type QueueLimits } from '../../src/fleet/queue.ts';
import { parseSerial } from '../../src/fleet/waves.ts';

function named(...names: readonly string[]): QueuedHost[] {
  return names.map((name) => ({ name }));
}

function queueOf(hosts: readonly QueuedHost[], limits: Partial<QueueLimits> = {}) {
  const queue = new Queue(hosts, { concurrency: 100, ...limits });
  const names = (list: readonly QueuedHost[]): string[] => list.map(({ name }) => name);
  return {
    queue,
    /** Names of those that begin; what else was decided. */
    decide(now = 0) {
      const { start, waiting, givenUp, wake } = queue.decide(now);
      return {
        start: names(start),
        waiting: waiting.map(({ host, reason }) => `${host.name} ${reason}`),
        givenUp: givenUp.map(({ host, error }) => `${host.name} ${error.code}`),
        wake,
      };
    },
    end(name: string, outcome: 'done' | 'failed' = 'done') {
      const host = hosts.find((each) => each.name === name);
      if (host !== undefined) queue.ended(host, outcome);
    },
  };
}

test('as many at once as asked for; the others are told why they wait', (t) => {
  const { decide, end, queue } = queueOf(named('a', 'b', 'c'), { concurrency: 2 });
  t.like(decide(), { start: ['a', 'b'], waiting: ['c for its turn (2 at once)'] });
  t.like(decide(), { start: [] });
  end('b');
  t.like(decide(), { start: ['c'], waiting: [] });
  t.false(queue.over);
  end('a');
  end('c', 'failed');
  t.true(queue.over);
});

test('waves: the next begins when all of one are over, also those that failed', (t) => {
  const { decide, end } = queueOf(named('a', 'b', 'c', 'd', 'e'), { serial: [1, 2] });
  t.like(decide(), { start: ['a'], waiting: ['b for wave 1', 'c for wave 1', 'd for wave 2', 'e for wave 2'] });
  end('a', 'failed');
  t.deepEqual(decide().start, ['b', 'c']);
  end('b');
  t.deepEqual(decide().start, []);
  end('c');
  t.deepEqual(decide().start, ['d', 'e']);
});

test('sizes of waves: numbers and shares, of which one is at least one host', (t) => {
  t.deepEqual(parseSerial(['25%'], 40), [10]);
  t.deepEqual(parseSerial(['1', '25%', '100%'], 10), [1, 2, 10]);
  t.deepEqual(parseSerial(['1%'], 3), [1]);
  for (const word of ['0', 'x', '-1', '5 %', '1.5', '']) t.is(parseSerial([word], 10), undefined, word);
});

test('limits of a jump host and of a group hold beside each other', (t) => {
  const hosts = [
    { name: 'a', jump: 'gate', groups: ['web'] },
    { name: 'b', jump: 'gate' },
    { name: 'c', groups: ['web'] },
    { name: 'd', groups: ['web', 'db'] },
    { name: 'e', jump: 'other' },
  ];
  const { decide, end } = queueOf(hosts, { perJump: 1, perGroup: new Map([['web', 1]]) });
  t.like(decide(), {
    start: ['a', 'e'],
    waiting: [
      'b for its jump host gate (1 of 1 at once)',
      'c for its group web (1 of 1 at once)',
      'd for its group web (1 of 1 at once)',
    ],
  });
  end('a');
  t.deepEqual(decide().start, ['b', 'c']);
});

test('what comes after a host waits until that is done, and is given up where it failed', (t) => {
  const hosts = [
    { name: 'web', after: ['db', 'elsewhere'] },
    { name: 'db' },
    { name: 'last', after: ['web'] },
    { name: 'free' },
  ];
  const good = queueOf(hosts);
  t.like(good.decide(), { start: ['db', 'free'], waiting: ['web for db', 'last for web'] });
  good.end('db');
  t.deepEqual(good.decide().start, ['web']);
  const bad = queueOf(hosts);
  bad.decide();
  bad.end('db', 'failed');
  t.deepEqual(bad.decide().givenUp, ['web fleet.dependency', 'last fleet.dependency']);
  bad.end('free');
  t.true(bad.queue.over);
});

test('no further host begins once one has failed, or more than allowed have', (t) => {
  const fast = queueOf(named('a', 'b', 'c'), { concurrency: 2, maxFailures: 0 });
  fast.decide();
  fast.end('a', 'failed');
  t.like(fast.decide(), { start: [], givenUp: ['c fleet.given-up'] });
  const patient = queueOf(named('a', 'b', 'c'), { concurrency: 1, maxFailures: 1 });
  patient.decide();
  patient.end('a', 'failed');
  t.deepEqual(patient.decide().start, ['b']);
  patient.end('b', 'failed');
  t.like(patient.decide(), { start: [], givenUp: ['c fleet.given-up'] });
});

test('a host waits for its window, and the queue says when to ask again', (t) => {
  const hosts = [
    { name: 'a', opens: (now: number) => Math.max(now, 5000) },
    { name: 'b', opens: (now: number) => Math.max(now, 3000) },
  ];
  const { decide } = queueOf(hosts);
  const first = decide(1000);
  t.like(first, { start: [], wake: 3000 });
  t.regex(first.waiting[0] ?? '', /^a for its window, which opens on 1970-01-01 at \d\d:\d\d$/);
  t.like(decide(3000), { start: ['b'], wake: 5000 });
  t.like(decide(6000), { start: ['a'] });
});

test('a wave never waits for a later one: what comes before a host is in its wave, or in an earlier one', (t) => {
  const hosts = [{ name: 'web', after: ['db'] }, { name: 'mail' }, { name: 'db', after: ['disk'] }, { name: 'disk' }];
  const { decide, end, queue } = queueOf(hosts, { serial: [1] });
  for (const name of ['disk', 'db', 'web', 'mail']) {
    t.deepEqual(decide().start, [name]);
    end(name);
  }
  t.true(queue.over);
});

test('a host whose window closed while it waited is given up, and those that come after it', (t) => {
  const opens = (now: number) => (now < 2000 ? now : Number.POSITIVE_INFINITY);
  const { decide, end, queue } = queueOf([{ name: 'a' }, { name: 'b', opens }, { name: 'c', after: ['b'] }], {
    concurrency: 1,
  });
  t.deepEqual(decide(1000).start, ['a']);
  const late = decide(3000);
  t.like(late, { givenUp: ['b fleet.window', 'c fleet.dependency'], wake: undefined });
  end('a');
  t.true(queue.over);
});

test('hosts that wait for each other are refused before anything begins', (t) => {
  const circle = [
    { name: 'a', after: ['b'] },
    { name: 'b', after: ['c'] },
    { name: 'c', after: ['a', 'gone'] },
  ];
  const error = t.throws(() => requireNoCircle(circle), { instanceOf: P2cError, code: 'fleet.circle' });
  t.is(error.exitCode, 2);
  t.regex(error.message, /a after b after c after a/);
  t.notThrows(() => requireNoCircle([{ name: 'a', after: ['b', 'gone'] }, { name: 'b' }]));
});

test('a host that is begun anew later gives its place back, and is neither failed nor lost meanwhile', (t) => {
  const hosts = [{ name: 'a' }, { name: 'b' }, { name: 'c', after: ['a'] }];
  const { decide, end, queue } = queueOf(hosts, { concurrency: 1, maxFailures: 0 });
  t.deepEqual(decide(0).start, ['a']);
  queue.postponed({ name: 'a' }, 5000);
  const meanwhile = decide(1000);
  t.like(meanwhile, { start: ['b'], givenUp: [], wake: 5000 });
  t.regex(meanwhile.waiting[0] ?? '', /^a until it is tried again .*\d\d:\d\d:\d\d$/);
  t.is(meanwhile.waiting[1], 'c for a');
  t.like(decide(6000), { start: [], waiting: ['a for its turn (1 at once)', 'c for a'] });
  // No further host begins once one has failed: this one has been begun.
  end('b', 'failed');
  t.like(decide(7000), { start: ['a'], givenUp: ['c fleet.given-up'] });
  end('a');
  t.true(queue.over);
});

test('of hosts that were not begun none counts as failed', (t) => {
  const hosts = [{ name: 'a' }, { name: 'b', after: ['a'] }, { name: 'c', after: ['b'] }, { name: 'd' }];
  const { decide, end, queue } = queueOf(hosts, { concurrency: 1, maxFailures: 1 });
  decide();
  end('a', 'failed');
  const { givenUp } = queue.decide(0);
  t.deepEqual(
    givenUp.map(({ error }) => error.message),
    [
      'it was not begun: a, which is to be done before it, failed',
      'it was not begun: b, which is to be done before it, was not begun either',
    ],
  );
  t.false(queue.over, 'd is begun: one host failed, and one may');
});

test('of two hosts that are one server, the second is begun when the first is over', (t) => {
  const hosts = [
    { name: 'a', endpoint: '10.0.0.1:22' },
    { name: 'b', endpoint: '10.0.0.1:22' },
    { name: 'c', endpoint: '10.0.0.2:22' },
  ];
  const { decide, end } = queueOf(hosts);
  t.like(decide(), { start: ['a', 'c'], waiting: ['b for a, which is the same server (10.0.0.1:22)'] });
  end('a', 'failed');
  t.deepEqual(decide().start, ['b']);
});

test('hosts that nothing can go on with are told of no --resume', (t) => {
  const queue = new Queue(named('a', 'b'), { concurrency: 1, maxFailures: 0 }, false);
  queue.decide(0);
  queue.ended({ name: 'a' }, 'failed');
  const hint = queue.decide(0).givenUp[0]?.error.hint ?? '';
  t.notRegex(hint, /migrate/);
  t.regex(hint, /p2c runs show --failed/);
});

test('every circle is told, each once', (t) => {
  const circles = [
    { name: 'a', after: ['b'] },
    { name: 'b', after: ['a'], place: () => 'fleet.yaml:3:7' },
    { name: 'c', after: ['a', 'd'] },
    { name: 'd', after: ['c'], place: () => 'fleet.yaml:5:7' },
  ];
  const { message } = t.throws(() => requireNoCircle(circles), { instanceOf: P2cError });
  t.deepEqual(message.split('\n'), [
    'hosts wait for each other: a after b after a',
    'hosts wait for each other: c after d after c',
  ]);
});

test('hosts that come after their own group: ten circles are told, each in short', (t) => {
  const names = Array.from({ length: 1000 }, (_, at) => `web${at}`);
  const each = names.map((name) => ({ name, after: names.filter((other) => other !== name) }));
  const { message } = t.throws(() => requireNoCircle(each), { instanceOf: P2cError });
  t.is(message.split('\n').length, 11);
  t.true(message.length < 5000, String(message.length));
  t.regex(message, /\n… and more$/);
});

test('a circle or a chain of ten thousand hosts', (t) => {
  const chain = Array.from({ length: 10_000 }, (_, at) => ({
    name: `h${at}`,
    after: at === 9999 ? [] : [`h${at + 1}`],
  }));
  t.notThrows(() => requireNoCircle(chain));
  const { message } = t.throws(() => requireNoCircle([...chain.slice(0, -1), { name: 'h9999', after: ['h0'] }]), {
    instanceOf: P2cError,
  });
  t.regex(message, /^hosts wait for each other: h0 after h1 after .* after \(9992 more\) after h9999 after h0$/);
});
