/** A stop that fails and takes effect all the same, later: what went down by it is started again before the lease is over. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import {
  eventually,
  type FakeApplication,
  fakeApplication,
  type Playground,
  playground,
  processesOf,
  shellFolder,
} from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';
import { requirePrograms } from '../helpers/require.ts';

/** Ends some seconds after it was told to, whatever becomes of who told it; each of its starts leaves a line. */
function slowToEnd(ground: Playground, seconds: number, more: string, timeout: string) {
  const counted = join(ground.folder, `starts-${seconds}`);
  const application: FakeApplication = fakeApplication(ground, (profile) => {
    const end = `sleep ${seconds}; kill $(cat ${ground.folder}/${profile.name}.pid)`;
    return {
      ...profile,
      stop: [{ run: `(setsid sh -c '${end}' >/dev/null 2>&1 &); ${more}`, timeout, down: { process: profile.name } }],
      start: profile.start.map((step) => ({ ...step, run: `echo >>${counted}; ${Reflect.get(step, 'run')}` })),
    };
  });
  return { ...application, starts: () => (existsSync(counted) ? readFileSync(counted, 'utf8').length : 0) };
}

async function stopFails(t: ExecutionContext, stopping: Promise<unknown>): Promise<P2cError> {
  const error = await t.throwsAsync(stopping, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.stop-failed', error.message);
  return error;
}

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: a stop that ends badly while the application goes down: it runs when p2c lets go`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = slowToEnd(ground, 14, 'sleep 1; exit 1', '20s');
    const session = localSession({ path: shellFolder(ground, shell) });
    const before = application.pid();
    await stopFails(t, quiesce(session, [application.profile], { place: ground.place }));
    t.true(application.isUp());
    t.not(application.pid(), before);
    t.is(application.starts(), 1);
    t.false(existsSync(ground.lock));
  });
}

test('a stop that does not end within its limit while the application goes down: it runs when p2c lets go', async (t) => {
  const ground = playground(t);
  const application = slowToEnd(ground, 27, 'sleep 100', '12s');
  await stopFails(t, quiesce(localSession(), [application.profile], { place: ground.place }));
  await setTimeout(8000);
  t.true(application.isUp());
  t.is(application.starts(), 1);
});

test('an interrupt while the application goes down: it runs when p2c lets go', async (t) => {
  const ground = playground(t);
  const application = slowToEnd(ground, 14, 'true', '20s');
  const abort = new AbortController();
  const reason = new P2cError('interrupted', { code: 'interrupted' });
  const stopping = quiesce(localSession(), [application.profile], {
    place: ground.place,
    signal: abort.signal,
    onEvent: (line) => {
      if (line.startsWith('stop ')) void setTimeout(1000).then(() => abort.abort(reason));
    },
  });
  t.is(await t.throwsAsync(stopping), reason);
  await setTimeout(3000);
  t.true(application.isUp());
  t.is(application.starts(), 1);
});

test('a stop that does nothing: what is still up is watched, not started, and no other stays down the while', async (t) => {
  const ground = playground(t);
  const [good, bad] = [fakeApplication(ground), slowToEnd(ground, 60, 'exit 1', '20s')];
  const lines: string[] = [];
  const stopping = quiesce(localSession(), [good.profile, bad.profile], {
    place: ground.place,
    onEvent: (line) => {
      lines.push(line);
      if (/watched for/.test(line)) t.true(good.isUp());
    },
  });
  await stopFails(t, stopping);
  t.regex(lines.join('\n'), /still up: it is not started again\n[\s\S]*may yet go down .*: watched for 1\d(\.\d)? s/);
  t.true(bad.isUp());
  t.is(bad.starts(), 0);
});

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: a stop step that the watchdog ended while the application goes down: it runs in the end`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = playground(t);
    const application = slowToEnd(ground, 26, 'sleep 60', '30s');
    const begun = performance.now();
    const session = localSession({ path: shellFolder(ground, shell) });
    const stopping = quiesce(session, [application.profile], { place: ground.place, leaseMs: 9000 });
    const failed = t.throwsAsync(stopping, { instanceOf: P2cError });
    await eventually(t, 'the step is at work', () => existsSync(join(ground.lock, 'step.pid')));
    session.cut();
    await failed;
    await eventually(t, 'the lock is gone', () => !existsSync(ground.lock));
    await setTimeout(Math.max(0, begun + 29_000 - performance.now()));
    t.true(application.isUp());
    t.is(application.starts(), 1);
    t.regex(
      readFileSync(ground.place.logFile, 'utf8'),
      /still at work: ended[\s\S]*not needed, it is up[\s\S]*watched for 30 s[\s\S]*it is up/,
    );
  });
}

/** As cron with a job: a daemon that forks a copy of itself, which waits for the job and outlives the daemon. */
async function forking(ground: Playground, afterKill: string, timeout: string): Promise<FakeApplication> {
  const application = fakeApplication(ground, (profile) => {
    const program = join(ground.folder, profile.name);
    const up = { process: `${profile.name}.d` };
    const daemon = `${program}.d -c '(sleep 60; :) & wait' >/dev/null 2>&1 & echo $! >${program}.pid`;
    return {
      ...profile,
      stop: [{ run: `kill $(cat ${program}.pid)${afterKill}`, timeout, down: up }],
      start: [{ run: daemon, timeout: '8s', up }],
    };
  });
  const [step] = application.profile.start;
  const made = `cp "$(command -v dash)" ${ground.folder}/${application.name}.d; ${step?.run ?? ''}`;
  await localSession().run({ purpose: 'start it', script: made });
  return application;
}

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: what outlives a stop under the application's name does not pass for it`, async (t) => {
    if (!requirePrograms(t, ['dash', shell])) return;
    const ground = playground(t);
    const application = await forking(ground, '', '8s');
    const daemon = application.pid();
    const session = localSession({ path: shellFolder(ground, shell) });
    const error = await stopFails(t, quiesce(session, [application.profile], { place: ground.place }));
    t.regex(error.message, /exit code 0.* still runs/);
    t.not(application.pid(), daemon);
    t.true(processesOf(ground.folder).includes(application.pid()));
    t.false(existsSync(ground.lock));
  });

  test(`${shell}: nor for the watchdog`, async (t) => {
    if (!requirePrograms(t, ['dash', shell])) return;
    const ground = playground(t);
    const application = await forking(ground, '; sleep 60', '10s');
    const daemon = application.pid();
    const session = localSession({ path: shellFolder(ground, shell) });
    const stopping = quiesce(session, [application.profile], { place: ground.place, leaseMs: 9000 });
    const failed = t.throwsAsync(stopping, { instanceOf: P2cError });
    await eventually(t, 'the daemon is gone', () => !processesOf(ground.folder).includes(daemon));
    session.cut();
    await failed;
    await eventually(t, 'the lock is gone', () => !existsSync(ground.lock));
    t.not(application.pid(), daemon);
    t.true(processesOf(ground.folder).includes(application.pid()));
  });
}
