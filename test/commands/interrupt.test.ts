/** What is told while a list lives on a terminal. */
import test from 'ava';
import { ownProcess } from '../helpers/own-process.ts';
import { requirePrograms } from '../helpers/require.ts';
import { CTRL_C, HIDE_CURSOR, onTerminal, SHOW_CURSOR } from '../helpers/terminal.ts';

const ENDLESS = ownProcess('endless-stage');

test('notes and both words about an interruption are seen when they are told', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const { shown, typed, code } = await onTerminal(t, ENDLESS, [
    [/the watchdog had to act:\r?\n +start nginx\r?\n.*a second note\r?\n.*Stream the files/s, CTRL_C],
    [/p2c: SIGINT: ending in good order; interrupt again to end at once\r?\n.*Stream the files/s, CTRL_C],
  ]);
  t.is(typed, 2, shown);
  t.is(code, 130);
  const [list, end] = [shown.lastIndexOf('Start again'), shown.lastIndexOf('p2c: ending at once\r\n')];
  t.true(list > 0 && list < end, 'written below the list');
  t.true(shown.replaceAll(SHOW_CURSOR, '').endsWith('p2c: nginx is left stopped\r\n'), shown.slice(-300));
  t.true(shown.lastIndexOf(SHOW_CURSOR) > shown.lastIndexOf(HIDE_CURSOR));
  t.regex(shown.slice(0, end), /✖\S* Stream the files\r?\n[^✖]*$/);
});

test('a stage before the list looks as those of the list', async (t) => {
  if (!requirePrograms(t, ['script'])) return;
  const typing = [
    [/Stream the files/, CTRL_C],
    [/good order/, CTRL_C],
  ] as const;
  t.true((await onTerminal(t, ENDLESS, typing)).shown.startsWith('\x1b[32m✔\x1b[39m Connect: as root\r\n'));
  t.true((await onTerminal(t, ENDLESS, typing, { NO_COLOR: '1' })).shown.startsWith('✔ Connect: as root\r\n'));
});
