/** Applications that come up though their start failed: what is told is what runs, and no more than that. */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { P2cError } from '../../src/errors.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import type { Profile } from '../../src/profiles/schema.ts';
import { eventually, type FakeApplication, fakeApplication, playground } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

async function startFails(t: ExecutionContext, starting: Promise<unknown>): Promise<void> {
  const error = await t.throwsAsync(starting, { instanceOf: P2cError });
  t.is(error.code, 'quiesce.start-failed', error.message);
}

/** Stopped, and its start failed. */
async function notStarted(
  t: ExecutionContext,
  { start, leaseMs = 60_000 }: { readonly start: (usual: string) => string; readonly leaseMs?: number },
) {
  const ground = playground(t);
  const application: FakeApplication = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({ ...step, run: start(Reflect.get(step, 'run')), timeout: '3s' })),
  }));
  const options = { settleMs: 0, place: ground.place, leaseMs };
  const quiesced = await quiesce(localSession(), [application.profile], options);
  await startFails(t, quiesced.resume());
  return { ground, application, quiesced };
}

test('one that comes up while others are started runs, and how its start failed is told', async (t) => {
  const ground = playground(t);
  const first = join(ground.folder, 'first');
  const change = (run: (usual: string) => string, timeout: string) => (profile: { name: string; start: object[] }) => ({
    ...profile,
    start: profile.start.map((step) => ({ ...step, run: run(Reflect.get(step, 'run')), timeout })),
  });
  const slow = fakeApplication(
    ground,
    change((usual) => `sleep 14; ${usual}`, '30s'),
  );
  const bad = fakeApplication(
    ground,
    change((usual) => `[ -e ${first} ] || { : >${first}; (sleep 10; ${usual}) >/dev/null 2>&1 & }; exit 3`, '2s'),
  );
  const profiles: Profile[] = [slow.profile, bad.profile];
  const lines: string[] = [];
  const onEvent = (line: string): void => void lines.push(line);
  const quiesced = await quiesce(localSession(), profiles, { settleMs: 0, place: ground.place, onEvent });
  const { applications } = await quiesced.resume();
  t.deepEqual(applications.map(({ name }) => name).sort(), [bad.name, slow.name].sort());
  t.is(applications.find(({ name }) => name === slow.name)?.trouble, null);
  t.regex(applications.find(({ name }) => name === bad.name)?.trouble ?? '', /^start app.* ended with exit code 3, /);
  t.regex(lines.join('\n'), new RegExp(`^${bad.name} is up, though start app`, 'm'));
  t.true(bad.isUp() && slow.isUp());
  t.false(existsSync(ground.lock), 'nobody owes anything');
});

test('one that comes up by the end of the run is found then, and nobody owes its start any more', async (t) => {
  const { ground, application, quiesced } = await notStarted(t, { start: () => 'exit 3' });
  t.is(await quiesced.lookAgain(), undefined);
  execFileSync('sh', ['-c', application.start]);
  const report = await quiesced.lookAgain();
  t.like(report?.applications[0], { name: application.name, byWatchdog: false });
  t.regex(report?.applications[0]?.trouble ?? '', /exit code 3/);
  t.deepEqual(report?.health, []);
  t.false(existsSync(ground.lock));
});

test('one that starts over and over, and ends each time, is not up', async (t) => {
  const { application, quiesced } = await notStarted(t, { start: () => 'exit 3' });
  execFileSync('sh', ['-c', application.start]);
  const looking = quiesced.lookAgain();
  await setTimeout(2500);
  process.kill(application.pid(), 'SIGKILL');
  t.is(await looking, undefined);
});

test('one that the watchdog started meanwhile is told as that', async (t) => {
  const mended = join(playground(t).folder, 'mended');
  const start = (usual: string): string => `[ -e ${mended} ] || exit 3; ${usual}`;
  const { ground, application, quiesced } = await notStarted(t, { start, leaseMs: 9000 });
  writeFileSync(mended, '');
  await eventually(t, 'the watchdog started it', () => application.isUp() && !existsSync(ground.lock));
  t.like((await quiesced.lookAgain())?.applications[0], { name: application.name, byWatchdog: true });
});

test('one without a check is not known to be up', async (t) => {
  const ground = playground(t);
  const application = fakeApplication(ground, (profile) => ({ ...profile, start: [{ run: 'exit 3', timeout: '1s' }] }));
  const quiesced = await quiesce(localSession(), [application.profile], { settleMs: 0, place: ground.place });
  await startFails(t, quiesced.resume());
  execFileSync('sh', ['-c', application.start]);
  t.is(await quiesced.lookAgain(), undefined);
});
