/** What a run that ends at once says it leaves: no more and no less than what is stopped just then. */
import test from 'ava';
import { whatIsStopped } from '../../src/pipeline/stages/stop-and-start.ts';
import { Owed } from '../../src/profiles/owed.ts';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { fakeApplication, playground } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

const TARGET = { user: 'root', host: 'old', port: 22, name: 'root@old' };

test('what is stopped is owed from the stop to the start', async (t) => {
  const ground = playground(t);
  const [one, two] = [fakeApplication(ground), fakeApplication(ground)];
  const owed = new Owed();
  const seen: string[][] = [];
  const onEvent = (line: string): void => {
    if (line.startsWith('stop ') || line.startsWith('start ')) seen.push(owed.names);
  };
  const options = { settleMs: 0, place: ground.place, leaseMs: 600_000, owed, onEvent };
  t.is(whatIsStopped(TARGET, owed), undefined);
  const quiesced = await quiesce(localSession(), [one.profile, two.profile], options);
  t.deepEqual(owed.names, [one.name, two.name]);
  t.regex(
    whatIsStopped(TARGET, owed) ?? '',
    new RegExp(
      `^on root@old, ${one.name}, ${two.name} are left stopped: the watchdog there starts .* by about \\d\\d:\\d\\d:\\d\\d \\(in \\d+ min`,
    ),
  );
  await quiesced.resume();
  t.deepEqual(seen, [[one.name], [one.name, two.name], [one.name, two.name], [one.name]]);
  t.is(whatIsStopped(TARGET, owed), undefined);
});

test("what a failed stop started again is not owed, and what is left stopped is nobody's", async (t) => {
  const ground = playground(t);
  const good = fakeApplication(ground);
  const broken = fakeApplication(ground, (profile) => ({
    ...profile,
    stop: [{ run: 'exit 4', timeout: '1s', down: { process: profile.name } }],
  }));
  const owed = new Owed();
  const options = { settleMs: 0, place: ground.place, owed };
  await t.throwsAsync(quiesce(localSession(), [good.profile, broken.profile], options), {
    code: 'quiesce.stop-failed',
  });
  t.deepEqual(owed.names, []);
  await (await quiesce(localSession(), [good.profile], options)).leave();
  t.is(whatIsStopped(TARGET, owed), `on root@old, ${good.name} is left stopped, and nobody starts it again`);
});
