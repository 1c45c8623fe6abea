/** Applications without an init: how long their container lives, and how it ends. */
import { setTimeout } from 'node:timers/promises';
import { servicesLabel } from '../../src/oci/services.ts';
import { onEachEngine } from '../helpers/engines.ts';
import type { Runner } from '../helpers/runner.ts';

/** One that runs as another user than PID 1, whose `exe` is nobody else's to see. */
const DATABASE = {
  name: 'db',
  start: [{ run: 'sleep 1000 >/dev/null 2>&1 &', user: 'web', env: {}, seconds: 20 }],
  stop: [{ run: 'killall sleep; echo the database is down', env: {}, seconds: 20 }],
};
const EXECUTION = { Labels: servicesLabel([DATABASE]) };

async function said(p2c: Runner, word: string): Promise<void> {
  while (!(await p2c.ok('logs', 'c')).includes(word)) await setTimeout(100);
}

onEachEngine('applications that run as another user alone keep their container alive', async (t, runner) => {
  const p2c = await runner(t, {}, EXECUTION);
  await p2c.ok('run', '-d', '--name', 'c', '--init', 'services', 'test:latest');
  await said(p2c, 'p2c: started');
  // Twice as long as PID 1 waits before it looks.
  await setTimeout(2500);
  t.regex(await p2c.ok('exec', 'c', 'ps'), /web +.*sleep 1000/, await p2c.ok('logs', 'c'));
  await p2c.ok('stop', 'c');
  t.is(await p2c.ok('logs', 'c'), 'p2c: started\nthe database is down\np2c: stopped');
  t.is(await p2c.ok('wait', 'c'), '0');
});

onEachEngine('where all have ended, what is to be done at a stop is done', async (t, runner) => {
  const p2c = await runner(t, {}, EXECUTION);
  await p2c.ok('run', '-d', '--name', 'c', '--init', 'services', 'test:latest');
  await said(p2c, 'p2c: started');
  await p2c.ok('exec', 'c', 'killall', 'sleep');
  t.is(await p2c.ok('wait', 'c'), '1');
  const ended = 'p2c: nothing that was started runs any more\n(?:.*\n)?the database is down\np2c: stopped';
  t.regex(await p2c.ok('logs', 'c'), new RegExp(`^p2c: started\n${ended}$`));
});
