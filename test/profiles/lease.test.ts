/** The lease itself: its commands come one at a time, those of its timer too. */
import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { Lease } from '../../src/profiles/lease.ts';
import type { Session } from '../../src/ssh/session.ts';
import { between } from '../helpers/between.ts';
import { eventually, type Playground, playground, processesOf } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

const LEASE_MS = 9000;

interface Traffic {
  /** Purposes of the commands that were sent, in their order. */
  readonly sent: string[];
  /** The most that were under way at once. */
  most: number;
  session: Session;
}

/** Renewals of the timer take long: what else is asked of the lease comes while one is under way. */
function slowly(): Traffic {
  let underWay = 0;
  const sent: string[] = [];
  const traffic: Traffic = {
    sent,
    most: 0,
    session: between(localSession(), {
      before: async ({ purpose }) => {
        sent.push(purpose);
        underWay += 1;
        traffic.most = Math.max(traffic.most, underWay);
        if (purpose === 'lease: renew') await setTimeout(700);
      },
      after: () => {
        underWay -= 1;
      },
    }),
  };
  return traffic;
}

function begin(ground: Playground, session: Session, troubles: string[]): Promise<Lease> {
  return Lease.begin(session, {
    place: ground.place,
    leaseMs: LEASE_MS,
    holder: 'a test',
    plan: { applications: [] },
    onTrouble: (line) => troubles.push(line),
  });
}

for (const [name, end] of [
  ['handed back', (lease: Lease) => lease.handBack()],
  ['left', (lease: Lease) => lease.leaveStopped()],
] as const) {
  test(`a lease that is ${name} while its timer renews it waits for that, and is renewed no more`, async (t) => {
    const ground = playground(t);
    const traffic = slowly();
    const troubles: string[] = [];
    const lease = await begin(ground, traffic.session, troubles);
    await eventually(t, 'the timer renews it', () => traffic.sent.includes('lease: renew'));
    await end(lease);
    const { length } = traffic.sent;
    await setTimeout(LEASE_MS / 2);
    t.is(traffic.sent.length, length);
    t.is(traffic.most, 1);
    t.false(lease.lost.aborted);
    t.deepEqual(troubles, []);
    t.false(existsSync(ground.lock) || existsSync(ground.place.logFile));
    t.deepEqual(processesOf(ground.folder), []);
  });
}

test('a lease that could not be left is renewed until it is handed back', async (t) => {
  const ground = playground(t);
  const local = localSession();
  let refused = false;
  const session = between(local, {
    before: ({ purpose }) => {
      if (refused || !purpose.startsWith('lease: hand back')) return;
      refused = true;
      throw new P2cError('no channel', { code: 'ssh.channel' });
    },
  });
  const lease = await begin(ground, session, []);
  await t.throwsAsync(lease.leaveStopped(), { code: 'ssh.channel' });
  await setTimeout(1.5 * LEASE_MS);
  t.false(lease.lost.aborted);
  t.is(await lease.renew(), 'held');
  await lease.handBack();
  t.false(existsSync(ground.lock));
});
