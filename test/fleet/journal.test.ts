import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { Journal, readJournal } from '../../src/fleet/journal.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = '20261121-220000-abcd';

test('a line that a power failure cut in two is passed over, and the next one is whole', async (t) => {
  const file = join(await temporaryFolder(t), 'journal.ndjson');
  {
    await using journal = await Journal.open(file, RUN);
    await journal.append({ event: 'note', host: 'a', line: 'first' });
  }
  await appendFile(file, '{"v":1,"time":"2026-11-2');
  t.is((await readJournal(file)).length, 1);
  {
    await using journal = await Journal.open(file, RUN);
    await journal.append({ event: 'note', host: 'a', line: 'second' });
  }
  const events = await readJournal(file);
  t.deepEqual(
    events.map((event) => ('line' in event ? event.line : event.event)),
    ['first', 'second'],
  );
});

test('lines that come together are all on the disk, in their order, when each is told so', async (t) => {
  const file = join(await temporaryFolder(t), 'journal.ndjson');
  await using journal = await Journal.open(file, RUN);
  const lines = Array.from({ length: 500 }, (_, at) => String(at));
  await Promise.all(
    lines.map(async (line) => {
      await journal.append({ event: 'note', host: 'a', line });
      t.true((await readFile(file, 'utf8')).includes(`"line":"${line}"`));
    }),
  );
  t.deepEqual(
    (await readJournal(file)).flatMap((event) => ('line' in event ? [event.line] : [])),
    lines,
  );
});

test('what is no event in the middle is told with its line; what a newer p2c wrote is passed over', async (t) => {
  const file = join(await temporaryFolder(t), 'journal.ndjson');
  await writeFile(file, '{"v":9,"event":"new-kind"}\n{"v":1\n');
  const error = await t.throwsAsync(readJournal(file), { code: 'run.damaged' });
  t.regex(error.message, /line 2 is no event/);
});
