/** Dozens of hosts, simulated: what scripts/bench-fleet does with a thousand. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import * as z from 'zod';
import { cli, startCli } from '../helpers/cli.ts';
import { startLabServer } from '../helpers/lab.ts';
import { peakMemory } from '../helpers/peak-memory.ts';
import { LESS_TO_LIST, startRecordedServers, writeFleet } from '../helpers/recorded-servers.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const HOSTS = 40;
/** Megabytes: what a thousand hosts may take. */
const MOST_MEMORY = 1000;

test('forty hosts, of which one server gives the answers, become forty images in the memory of a few', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return;
  const folder = await temporaryFolder(t);
  const env = { P2C_ROOT: join(folder, 'store') };
  await using lab = await startLabServer('many');
  await lab.exec(LESS_TO_LIST);
  await using servers = await startRecordedServers(lab);
  const fleet = await writeFleet(folder, servers, lab.identity, HOSTS);
  const p2c = startCli(['migrate', ...fleet, '--concurrency', '8', '--json'], env);
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, peakMemory(p2c.child.pid ?? 0) ?? 0);
  }, 100);
  const ended = await p2c.ended;
  clearInterval(watch);
  t.is(ended.code, 0, ended.stderr);
  const { answered, asked } = servers.counts();
  t.log(`${answered} commands answered, ${asked} of them by the server itself; peak memory ${peak.toFixed(0)} MB`);
  t.true(answered > HOSTS * 10);
  t.true(asked < answered / 10, `${asked} of ${answered} commands were not the same for all hosts`);
  t.true(peak > 0 && peak < MOST_MEMORY, `${peak} MB`);
  const { stdout } = await cli(['images', '--json'], env);
  t.is(JSON.parse(stdout).length, HOSTS);
  // The layers of all of them are the same ones: two of files, one of what was adapted, or less.
  t.true(readdirSync(join(env.P2C_ROOT, 'blobs/sha256')).length < HOSTS * 6);
});

/** Bytes that may have come of a stream before it has to wait, and are read at once when it has ended. */
const UNREAD = 8 * 1024 * 1024;
const RATE = 10 * 1024 * 1024;

const Event = z.looseObject({
  event: z.string(),
  time: z.iso.datetime(),
  at: z.iso.datetime().optional(),
  purpose: z.string().optional(),
  bytes: z.number().optional(),
});

test.serial('two hosts at once share what --limit-rate allows', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['debootstrap'])) return;
  const folder = await temporaryFolder(t);
  await using lab = await startLabServer('shared');
  await lab.exec(`${LESS_TO_LIST}; head -c 40000000 /dev/urandom >/srv/weight`);
  await using servers = await startRecordedServers(lab);
  const fleet = await writeFleet(folder, servers, lab.identity, 2);
  const limited = ['--concurrency', '2', '--limit-rate', '10m', '--json'];
  const { code, stdout, stderr } = await cli(['migrate', ...fleet, ...limited], { P2C_ROOT: join(folder, 'store') });
  t.is(code, 0, stderr);
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => Event.parse(JSON.parse(line)));
  const captured = events.filter(({ event }) => event === 'part-captured');
  t.is(captured.length, 2);
  const bytes = captured.reduce((sum, part) => sum + (part.bytes ?? 0), 0);
  t.true(bytes > 80_000_000);
  // From the first stream's beginning to the last one's end: less would be more than the rate.
  const began = events.filter(({ purpose }) => purpose === 'stream part 1').map(({ at = '' }) => Date.parse(at));
  t.is(began.length, 2);
  const ended = captured.map(({ time }) => Date.parse(time));
  const took = Math.max(...ended) - Math.min(...began);
  t.true(took >= ((bytes - 2 * UNREAD) / RATE) * 1000, `${bytes} bytes in ${took} ms`);
});
