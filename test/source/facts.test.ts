import test from 'ava';
import { gatherFacts } from '../../src/source/facts.ts';
import { localSession } from '../helpers/local-session.ts';

test('facts that end half way are not taken: the clock would be unknown', async (t) => {
  const session = localSession();
  const run: typeof session.run = (command) =>
    session.run({ ...command, script: command.script.replace(/^say clock .*/m, () => 'kill -9 $$') });
  await t.throwsAsync(gatherFacts({ ...session, run }), { code: 'source.facts' });
  t.true(Math.abs((await gatherFacts(session)).clockAhead) < 60);
});
