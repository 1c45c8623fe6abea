import test from 'ava';
import { withShow } from '../../src/commands/show.ts';
import { drawing } from '../../src/report/screen.ts';

test('under --json notes are told, and stages are not', async (t) => {
  const lines: string[] = [];
  const takeBack = drawing({ note: (line) => lines.push(line), leave: () => {} });
  t.teardown(takeBack);
  const result = await withShow({ json: true }, ['Look'], (show) => {
    show.note('the key of old is taken\u001b[31m');
    return show.stage('Look', async (tell) => {
      tell('half of it');
      return 7;
    });
  });
  t.is(result, 7);
  t.is(lines.length, 1);
  t.regex(lines[0] ?? '', /^p2c: the key of old is taken/);
  t.false(lines.join().includes('\u001b'));
});
