import { appendFile, type FileHandle, open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { Journal, readJournal } from '../../src/fleet/journal.ts';
import { type RunEvent, stamped } from '../../src/report/events/schema.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const RUN = '20261121-220000-abcd';

test.serial('a line that a power failure cut in two is passed over, and the next one is whole', async (t) => {
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

test.serial('lines that come together are all on the disk, in their order, when each is told so', async (t) => {
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

test.serial(
  'what is no event in the middle is told with its line; what a newer p2c wrote is passed over',
  async (t) => {
    const file = join(await temporaryFolder(t), 'journal.ndjson');
    await writeFile(file, '{"v":9,"event":"new-kind"}\n{"v":1\n');
    const error = await t.throwsAsync(readJournal(file), { code: 'run.damaged' });
    t.regex(error.message, /line 2 is no event/);
  },
);

test.serial(
  'a line that a full disk cut in two is taken away: what was told as written is read, and no more',
  async (t) => {
    const file = join(await temporaryFolder(t), 'journal.ndjson');
    await using journal = await Journal.open(file, RUN);
    const note = (line: string) => journal.append({ event: 'note', host: 'a', line });
    await note('first');
    await fullDisk(t, async () => {
      const written = await Promise.allSettled([note('torn'), note('lost with it')]);
      t.deepEqual(
        written.map((each) => each.status === 'rejected' && each.reason.code),
        ['store.full', 'store.full'],
      );
    });
    await note('last');
    t.deepEqual(linesOf(await readJournal(file)), ['first', 'last']);
  },
);

test.serial('a part of a line before a whole one is passed over', async (t) => {
  const file = join(await temporaryFolder(t), 'journal.ndjson');
  const whole = (line: string) => JSON.stringify(stamped({ event: 'note', host: 'a', line }, RUN));
  await writeFile(file, `${whole('one')}\n${whole('torn {"v":').slice(0, -9)}${whole('two')}\n${whole('three')}\n`);
  t.deepEqual(linesOf(await readJournal(file)), ['one', 'two', 'three']);
});

function linesOf(events: readonly RunEvent[]): string[] {
  return events.flatMap((event) => ('line' in event ? [event.line] : []));
}

/** The first append writes a part of what it is given, and fails as on a full disk. */
async function fullDisk(t: ExecutionContext, work: () => Promise<void>): Promise<void> {
  const probe = await open(join(await temporaryFolder(t), 'probe'), 'a');
  const kind: FileHandle = Object.getPrototypeOf(probe);
  await probe.close();
  const { appendFile } = kind;
  kind.appendFile = async function append(this: FileHandle, data) {
    kind.appendFile = appendFile;
    await this.appendFile(data.slice(0, data.length / 2));
    throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  try {
    await work();
  } finally {
    kind.appendFile = appendFile;
  }
}
