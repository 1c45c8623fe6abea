/** Interruptions around the first stop step: what was not stopped is not started. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { P2cError } from '../../src/errors.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { between } from '../helpers/between.ts';
import { fakeApplication, playground, processesOf } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

const REASON = new P2cError('interrupted', { code: 'interrupted' });

for (const [when, purpose] of [
  ['while the server is looked at before the stop', /^see what runs/],
  ['while the lease is begun', /^lease: leave a watchdog/],
  ['while p2c looks whether it is down already', /^see whether app\w+ is down/],
] as const) {
  test(`an interrupt ${when} starts nothing, though no check tells that it is up`, async (t) => {
    const ground = playground(t);
    const mark = join(ground.folder, 'started');
    const application = fakeApplication(ground, (profile) => ({
      ...profile,
      start: [{ run: `: >${mark}`, timeout: '5s' }],
    }));
    const abort = new AbortController();
    let came = false;
    const session = between(localSession(), {
      after: (command) => {
        if (came || !purpose.test(command.purpose)) return;
        came = true;
        abort.abort(REASON);
      },
    });
    const stopping = quiesce(session, [application.profile], { place: ground.place, signal: abort.signal });
    t.is(await t.throwsAsync(stopping), REASON);
    t.true(came);
    t.false(existsSync(mark));
    t.deepEqual(
      session.ledger.filter((entry) => /^(stop|start) /.test(entry.purpose)),
      [],
    );
    t.false(existsSync(ground.lock));
    t.deepEqual(processesOf(ground.folder), [application.pid()]);
  });
}

test('of two, the one that no step was sent to is left alone, and the other runs again', async (t) => {
  const ground = playground(t);
  const mark = join(ground.folder, 'started');
  const stopped = fakeApplication(ground);
  const untouched = fakeApplication(ground, (profile) => ({
    ...profile,
    start: [{ run: `: >${mark}`, timeout: '5s' }],
  }));
  const abort = new AbortController();
  const session = between(localSession(), {
    after: ({ purpose }) => {
      if (purpose === `see whether ${untouched.name} is down`) abort.abort(REASON);
    },
  });
  const profiles = [stopped.profile, untouched.profile];
  const stopping = quiesce(session, profiles, { place: ground.place, signal: abort.signal });
  t.is(await t.throwsAsync(stopping), REASON);
  t.true(stopped.isUp() && untouched.isUp());
  t.false(existsSync(mark));
  t.false(existsSync(ground.lock));
});

test('a link that is lost before anything was stopped is told as that', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground);
  const local = localSession();
  const session = between(local, {
    before: ({ purpose }) => {
      if (purpose === `see whether ${application.name} is down`) local.cut();
    },
  });
  const stopping = quiesce(session, [application.profile], { place: ground.place });
  t.like(await t.throwsAsync(stopping), { code: 'ssh.lost' });
  t.true(application.isUp());
});
