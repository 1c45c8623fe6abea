import test from 'ava';
import { planQuiesce } from '../../src/profiles/planned.ts';
import { fakeApplication, playground } from '../helpers/fake-application.ts';

test('the plan of a dry run names every step, the stops in order and the starts in reverse', (t) => {
  const ground = playground(t);
  const [one, two] = [fakeApplication(ground), fakeApplication(ground)];
  const { stop, start, trouble } = planQuiesce([one.profile, two.profile], 60_000, 'ann@laptop');
  const steps = (list: typeof stop) =>
    list.map(({ purpose }) => purpose).filter((purpose) => /^st(art|op) app/.test(purpose));
  t.deepEqual(steps(stop), [`stop ${one.name}: ${one.stop}`, `stop ${two.name}: ${two.stop}`]);
  t.deepEqual(
    steps(start).map((purpose) => purpose.split(':')[0]),
    [`start ${two.name}`, `start ${one.name}`],
  );
  const changing = [...stop, ...start, ...trouble].filter(({ purpose }) => !/^(see|look)/.test(purpose));
  t.true(changing.every((command) => command.changesSource === true));
  const watchdog = stop.find(({ purpose }) => purpose.startsWith('lease: leave a watchdog'));
  t.true(watchdog?.inputText?.includes(`start ${one.name}`));
  t.is(
    stop.find(({ purpose }) => purpose === 'lease: renew')?.when,
    'every 20 s from here until the lease is handed back',
  );
  t.deepEqual(planQuiesce([], 60_000, 'ann@laptop'), { stop: [], start: [], trouble: [] });
});
