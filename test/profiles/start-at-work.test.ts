/** A start that may still be at work is not sent a second time on top of itself, by p2c or by the watchdog. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import type { RemoteCommand } from '../../src/ssh/session.ts';
import { between } from '../helpers/between.ts';
import {
  eventually,
  type FakeApplication,
  fakeApplication,
  type Playground,
  playground,
} from '../helpers/fake-application.ts';
import { type LocalSession, localSession } from '../helpers/local-session.ts';

/** Its processes are there only after a while, as of a database that recovers; each start leaves a line. */
function slow(ground: Playground, seconds: number, timeout: string): FakeApplication & { starts(): number } {
  const counted = join(ground.folder, 'starts');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({
      ...step,
      run: `echo >>${counted}; sleep ${seconds}; ${Reflect.get(step, 'run')}`,
      timeout,
    })),
  }));
  return { ...application, starts: () => (existsSync(counted) ? readFileSync(counted, 'utf8').length : 0) };
}

const lost = (): P2cError => new P2cError('the connection was lost', { code: 'ssh.lost' });

/** Loses the link under the first start, when it has arrived or before: its answer does not come, and what is asked next goes over a new one. */
function losing(local: LocalSession, arrived?: () => boolean) {
  let begun = false;
  return between(local, {
    before: async (command: RemoteCommand) => {
      if (begun || !command.purpose.startsWith('start ')) return;
      begun = true;
      if (arrived !== undefined) local.run(command).catch(() => {});
      do await setTimeout(500);
      while (arrived?.() === false);
      throw lost();
    },
  });
}

test('a link that is lost under a start that takes long: it is waited for, and not started again', async (t) => {
  const ground = playground(t);
  const application = slow(ground, 12, '40s');
  const quiesced = await quiesce(
    losing(localSession(), () => application.starts() > 0),
    [application.profile],
    {
      settleMs: 0,
      place: ground.place,
    },
  );
  const { applications } = await quiesced.resume();
  t.true(application.isUp());
  t.is(application.starts(), 1);
  t.is(applications[0]?.steps.at(-1)?.problem, undefined);
});

test('a link that is lost before a start arrives: it is sent again soon', async (t) => {
  const ground = playground(t);
  const application = slow(ground, 0, '10m');
  const quiesced = await quiesce(losing(localSession()), [application.profile], {
    settleMs: 0,
    place: ground.place,
  });
  await quiesced.resume();
  t.true(application.isUp());
  t.is(application.starts(), 1);
});

test('a start that ends badly while its process comes up is waited for, and not sent again', async (t) => {
  const ground = playground(t);
  const [counted, ready] = [join(ground.folder, 'starts'), join(ground.folder, 'ready')];
  writeFileSync(ready, '');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    stop: profile.stop.map((step) => ({ ...step, run: `rm ${ready}; ${Reflect.get(step, 'run')}` })),
    // As an init script that waits less long than the application takes to be ready.
    start: profile.start.map((step) => ({
      ...step,
      run: `echo >>${counted}; ${Reflect.get(step, 'run')}; (sleep 12; : >${ready}) >/dev/null 2>&1 & exit 1`,
      timeout: '40s',
      up: { process: profile.name, command: `test -e ${ready}` },
    })),
  }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  const { applications } = await quiesced.resume();
  t.true(application.isUp());
  t.is(readFileSync(counted, 'utf8').length, 1);
  t.is(applications[0]?.steps.at(-1)?.problem, undefined);
});

test('a start that ends badly and leaves no process is sent again soon', async (t) => {
  const ground = playground(t);
  const counted = join(ground.folder, 'starts');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({
      ...step,
      run: `echo >>${counted}; [ -s ${counted}.2 ] || { echo 2 >${counted}.2; exit 1; }; ${Reflect.get(step, 'run')}`,
      timeout: '10m',
    })),
  }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  await quiesced.resume();
  t.true(application.isUp());
  t.is(readFileSync(counted, 'utf8').length, 2);
});

test('a start without a check that does not end may be the application: p2c runs it once, the watchdog not at all', async (t) => {
  const ground = playground(t);
  const counted = join(ground.folder, 'starts');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: [{ run: `echo >>${counted}; exec sleep 100 # ${ground.folder}/`, timeout: '1s' }],
  }));
  const quiesced = await quiesce(localSession(), [application.profile], {
    settleMs: 0,
    place: ground.place,
    leaseMs: 15_000,
  });
  const error = await t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
  t.is(error.code, 'quiesce.start-failed');
  t.regex(error.message, /did not end within its limit after/);
  t.is(readFileSync(counted, 'utf8').length, 1);
  const log = (): string => (existsSync(ground.place.logFile) ? readFileSync(ground.place.logFile, 'utf8') : '');
  await eventually(t, 'the watchdog gave up', () => /FAILED/.test(log()));
  t.regex(log(), /what p2c sent is still at work/);
  t.is(readFileSync(counted, 'utf8').length, 1);
});

test('a start of the watchdog that does not end is run once', async (t) => {
  const ground = playground(t);
  const counted = join(ground.folder, 'starts');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: [{ run: `echo >>${counted}; exec sleep 100 # ${ground.folder}/`, timeout: '1s' }],
  }));
  const session = localSession();
  await quiesce(session, [application.profile], { settleMs: 0, place: ground.place, leaseMs: 9000 });
  session.cut();
  const log = (): string => (existsSync(ground.place.logFile) ? readFileSync(ground.place.logFile, 'utf8') : '');
  await eventually(t, 'the watchdog gave up', () => /FAILED/.test(log()));
  t.regex(log(), /did not end within 1 s[\s\S]*not run again: it is still at work/);
  t.is(readFileSync(counted, 'utf8').length, 1);
});

test('a watchdog sees that it is up also where the start has less than three seconds', async (t) => {
  const ground = playground(t);
  const application = slow(ground, 0, '1s');
  const session = localSession();
  await quiesce(session, [application.profile], { settleMs: 0, place: ground.place, leaseMs: 9000 });
  session.cut();
  await eventually(t, 'the watchdog is done', () => !existsSync(ground.lock) || application.starts() > 1);
  t.true(application.isUp());
  t.is(application.starts(), 1, readFileSync(ground.place.logFile, 'utf8'));
});

test('a watchdog that acts while a start of p2c is at work waits for it', async (t) => {
  const ground = playground(t);
  const application = slow(ground, 25, '60s');
  const session = localSession();
  const quiesced = await quiesce(session, [application.profile], { settleMs: 0, place: ground.place, leaseMs: 9000 });
  const resuming = t.throwsAsync(() => quiesced.resume(), { instanceOf: P2cError });
  await eventually(t, 'the start is at work', () => application.starts() === 1);
  session.cut();
  t.is((await resuming)?.code, 'quiesce.link-lost');
  await eventually(t, 'the watchdog is done', () => !existsSync(ground.lock));
  t.true(application.isUp());
  t.is(application.starts(), 1);
  t.regex(readFileSync(ground.place.logFile, 'utf8'), /still at work: waiting for it[\s\S]*it is up/);
});
