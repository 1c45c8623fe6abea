/** A list with a stage that does not end, also where it is interrupted: for a terminal. */
import { setTimeout as pause } from 'node:timers/promises';
import { interruptible } from '../../src/commands/interrupt.ts';
import { withShow } from '../../src/commands/show.ts';
import { leaving } from '../../src/pipeline/leavings.ts';

await interruptible(() =>
  withShow({ json: false }, ['Stream the files', 'Start again'], async (show) => {
    await show.stage(
      'Connect',
      async () => {},
      () => 'as root',
    );
    await show.stage('Stream the files', async (tell) => {
      leaving(() => 'nginx is left stopped');
      show.note('the watchdog had to act:\nstart nginx');
      show.note('a second note');
      for (let second = 0; second < 60; second += 1) {
        tell(`${second} MB`);
        await pause(1000);
      }
    });
  }),
);
