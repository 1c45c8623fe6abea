/** What the commands of steps do on a source, under the shells that are met there. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LeaseExit } from '../../src/profiles/lease-scripts.ts';
import { stepCommand } from '../../src/profiles/step-scripts.ts';
import { type Playground, playground, shellFolder } from '../helpers/fake-application.ts';
import { localSession } from '../helpers/local-session.ts';
import { requirePrograms } from '../helpers/require.ts';

const TOKEN = 'ours';

/** A lease that is held, without its watchdog. */
function leased(t: ExecutionContext): Playground {
  const ground = playground(t);
  mkdirSync(ground.lock);
  writeFileSync(join(ground.lock, 'token'), TOKEN);
  return ground;
}

for (const shell of ['dash', 'bash', 'busybox']) {
  test(`${shell}: a stop owes its start before it looks whether the lease is over`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const ground = leased(t);
    const mark = join(ground.folder, 'ran');
    const session = localSession({ path: shellFolder(ground, shell) });
    const step = {
      purpose: 'stop app',
      line: `: >${mark}`,
      timeoutMs: 5000,
      token: TOKEN,
      number: 3,
      kind: { owe: 'app', pids: [] },
    };
    const command = stepCommand(ground.place, step);
    writeFileSync(join(ground.lock, 'expired'), '');
    t.is((await session.run(command)).code, LeaseExit.expired);
    t.false(existsSync(mark));
    t.true(existsSync(join(ground.lock, 'owed.3')), 'a watchdog that looks now sees it');
  });

  test(`${shell}: neither a stop nor a start is run once the lease is over or another's`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const session = localSession({ path: shellFolder(playground(t), shell) });
    for (const kind of [{ owe: 'app', pids: [] }, { wasDown: true }]) {
      const ground = leased(t);
      const mark = join(ground.folder, 'ran');
      const step = { purpose: 'a step', line: `echo >>${mark}`, timeoutMs: 5000, token: TOKEN, number: 3, kind };
      const command = stepCommand(ground.place, step);
      t.is((await session.run(command)).code, 0);
      writeFileSync(join(ground.lock, 'expired'), '');
      t.is((await session.run(command)).code, LeaseExit.expired);
      rmSync(join(ground.lock, 'expired'));
      writeFileSync(join(ground.lock, 'token'), 'theirs');
      t.is((await session.run(command)).code, LeaseExit.notOurs);
      rmSync(ground.lock, { recursive: true });
      t.is((await session.run(command)).code, LeaseExit.notOurs);
      t.is(readFileSync(mark, 'utf8'), '\n', 'it ran once, while the lease was held');
    }
  });

  test(`${shell}: a stop whose link is cut before all of its input came is not run, nor is one whose lease passed on meanwhile`, async (t) => {
    if (!requirePrograms(t, [shell])) return;
    const session = localSession({ path: shellFolder(playground(t), shell) });
    const ground = leased(t);
    const mark = join(ground.folder, 'ran');
    const kind = { owe: 'app', pids: [process.pid] };
    const step = { purpose: 'stop app', line: `echo >>${mark}`, timeoutMs: 5000, token: TOKEN, number: 3, kind };
    const command = stepCommand(ground.place, step);
    t.is((await session.run({ ...command, input: [Buffer.from(`${process.pid}`)] })).code, LeaseExit.notOurs);
    t.false(existsSync(join(ground.lock, 'owed.3')));
    async function* late(): AsyncGenerator<Buffer> {
      // By then the shell waits for it.
      await new Promise((resolve) => setTimeout(resolve, 500));
      writeFileSync(join(ground.lock, 'token'), 'theirs');
      for await (const chunk of command.input ?? []) yield Buffer.from(chunk);
    }
    t.is((await session.run({ ...command, input: late() })).code, LeaseExit.notOurs);
    t.false(existsSync(mark));
  });
}
