/** Where the watchdog acted while p2c was starting the applications, p2c starts no more of them on top of it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { quiesce } from '../../src/profiles/quiesce.ts';
import { between } from '../helpers/between.ts';
import { eventually, fakeApplication, type Playground, playground } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';

function counted(ground: Playground) {
  const file = join(ground.folder, 'starts');
  const application = fakeApplication(ground, (profile) => ({
    ...profile,
    start: profile.start.map((step) => ({
      ...step,
      run: `echo ${profile.name} >>${file}; ${Reflect.get(step, 'run')}`,
    })),
  }));
  return { ...application, file };
}

test("a link that was away for longer than the lease between two starts: the second is the watchdog's", async (t) => {
  const ground = playground(t);
  const [one, two] = [counted(ground), counted(ground)];
  let away = false;
  const session = between(localSession(), {
    before: async ({ purpose }) => {
      if (away || purpose !== `see whether ${two.name} is up`) return;
      away = true;
      // As the watchdog notes it, in the middle of a command that is sent again once the link stands.
      writeFileSync(join(ground.lock, 'now'), '');
      await eventually(t, 'the watchdog started both', () => one.isUp() && two.isUp());
    },
  });
  const profiles = [one.profile, two.profile];
  const quiesced = await quiesce(session, profiles, { settleMs: 0, place: ground.place, leaseMs: 600_000 });
  const { applications, notes } = await quiesced.resume();
  t.true(away);
  t.deepEqual(
    applications.map(({ name, byWatchdog }) => [name, byWatchdog]),
    [
      [two.name, true],
      [one.name, true],
    ],
  );
  t.deepEqual(readFileSync(one.file, 'utf8').trim().split('\n'), [two.name, one.name], 'each was started once');
  t.regex(notes.join('\n'), /the watchdog on the server says/);
});
