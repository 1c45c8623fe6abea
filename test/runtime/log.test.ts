/** Logs of containers: written as the output comes, read back as it was. */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { type LogRecord, LogWriter, readLog } from '../../src/runtime/log.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function all(folder: string): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of readLog(folder, async () => false)) records.push(record);
  return records;
}

test('output in pieces becomes lines, and comes back whole', async (t) => {
  const folder = await temporaryFolder(t);
  const long = 'x'.repeat(40_000);
  {
    await using log = new LogWriter(folder);
    const out = log.stream('stdout');
    const errors = log.stream('stderr');
    for (const byte of Buffer.from('grün\nzwei\n')) await out(Buffer.from([byte]));
    await errors(Buffer.from('oops\n'));
    await out(Buffer.from(`${long}\nno end`));
    await out();
    await errors();
  }
  const records = await all(folder);
  const text = (stream: string): string =>
    records
      .filter((record) => record.stream === stream)
      .map((record) => record.text)
      .join('');
  t.is(text('stdout'), `grün\nzwei\n${long}\nno end`);
  t.is(text('stderr'), 'oops\n');
  t.is(records[0]?.text, 'grün\n');
  t.true(records.every((record) => record.text.length <= 16 * 1024));
});

test('what is no record is left out', async (t) => {
  const folder = await temporaryFolder(t);
  {
    await using log = new LogWriter(folder);
    await log.stream('stdout')(Buffer.from('one\n'));
  }
  appendFileSync(join(folder, 'log'), '{"time":1}\nnonsense\n{"time":"cut sho');
  t.deepEqual(
    (await all(folder)).map(({ text }) => text),
    ['one\n'],
  );
});

test('a container that said nothing has an empty log', async (t) => {
  t.deepEqual(await all(await temporaryFolder(t)), []);
});

test('following ends when nothing more may come, and not before all was read', async (t) => {
  const folder = await temporaryFolder(t);
  await using log = new LogWriter(folder);
  const out = log.stream('stdout');
  const texts: string[] = [];
  let asked = 0;
  const goesOn = async (): Promise<boolean> => {
    asked += 1;
    await out(Buffer.from(`${asked}\n`));
    return asked < 4;
  };
  for await (const { text } of readLog(folder, goesOn)) texts.push(text.trim());
  t.true(texts.length >= 3);
  t.deepEqual(texts, ['1', '2', '3', '4'].slice(0, texts.length));
});
