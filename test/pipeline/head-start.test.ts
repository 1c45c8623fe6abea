import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { RuleSet } from '../../src/listing/rules.ts';
import { listCommand } from '../../src/pipeline/stages/finds.ts';
import { HeadStart } from '../../src/pipeline/stages/head-start.ts';
import { listFilesystems } from '../../src/pipeline/stages/list.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { collect } from '../helpers/entries.ts';
import { filesystem } from '../helpers/filesystem.ts';
import { type LocalSession, localSession } from '../helpers/local-session.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const start = (path: string) => ({ path: byteStringFromText(path), what: 'filesystem' }) as const;

async function list(t: ExecutionContext, session: LocalSession, places: readonly string[], begun?: HeadStart) {
  const input = {
    session,
    facts: { filesystems: places.map((place) => filesystem(place)) },
    rules: new RuleSet([]),
    reason: '',
    retries: 0,
    note: () => {},
    begun,
  } as const;
  return listFilesystems(input, await temporaryFolder(t), () => {});
}

/** A find that lists all there is, complains that often, and writes down that it ran. */
function countedFind(bin: string, complaints: number): { readonly runs: () => number } {
  const file = join(bin, 'runs');
  writeFileSync(file, '');
  writeFileSync(
    join(bin, 'find'),
    `#!/bin/sh
PATH=/usr/bin:/bin
case $2 in -prune) exec find "$@" ;; esac
echo >>${file}
find "$@"
i=0; while [ $i -lt ${complaints} ]; do echo "find: '/dead$i': Input/output error" >&2; i=$((i + 1)); done
`,
    { mode: 0o755 },
  );
  return { runs: () => readFileSync(file, 'utf8').length };
}

test('a find that was begun is gone on with, and its listing is of the time when it began', async (t) => {
  const bin = await temporaryFolder(t);
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, 'first'), '');
  const { runs } = countedFind(bin, 1);
  const session = localSession({ path: bin });
  const begun = new HeadStart(session, listCommand(start(folder), ''));
  await sleep(500);
  writeFileSync(join(folder, 'later'), '');
  const { listing, startedAt, problems } = await list(t, session, [folder], begun);
  const paths = (await collect(listing.batches())).map(({ path }) => path as string);
  t.deepEqual(paths, [folder, join(folder, 'first')]);
  t.is(startedAt, begun.startedAt);
  t.deepEqual(problems, ["find: '/dead0': Input/output error"]);
  t.is(runs(), 1);
});

test('one that said more than is kept, or of another place, is not gone on with', async (t) => {
  const bin = await temporaryFolder(t);
  const folder = await temporaryFolder(t);
  const session = localSession({ path: bin });
  countedFind(bin, 10_000);
  const many = new HeadStart(session, listCommand(start(folder), ''));
  await sleep(1000);
  const { runs } = countedFind(bin, 2);
  const { problems } = await list(t, session, [folder], many);
  t.is(problems.length, 2);
  t.is(runs(), 1);
  const elsewhere = new HeadStart(session, listCommand(start('/nowhere'), ''));
  const { listing } = await list(t, session, [folder], elsewhere);
  t.is(listing.count, 1);
});

test('one that nobody wants is ended', async (t) => {
  const folder = await temporaryFolder(t);
  const other = await temporaryFolder(t);
  const mark = join(folder, 'process');
  const session = localSession();
  const begun = new HeadStart(session, {
    purpose: 'list /',
    script: `echo $$ >${mark}; while :; do sleep 0.1; done`,
  });
  while (!existsSync(mark) || readFileSync(mark, 'utf8') === '') await sleep(10);
  const process = `/proc/${readFileSync(mark, 'utf8').trim()}`;
  t.true(existsSync(process));
  await list(t, session, [other], begun);
  for (let tries = 0; existsSync(process) && tries < 100; tries += 1) await sleep(20);
  t.false(existsSync(process));
});
