/** `scripts/bench-listing ENTRIES FOLDER`: a made-up listing through the code of a real run, with time and peak memory. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Changes } from '../../src/listing/changes.ts';
import { Directories } from '../../src/listing/directories.ts';
import { makeDeltaPlan, makePlan, partBytesFor } from '../../src/listing/plan.ts';
import { RuleSet } from '../../src/listing/rules.ts';
import { FindParser } from '../../src/listing/scan.ts';
import { type Listing, ListingWriter } from '../../src/listing/storage.ts';
import { baseRules } from '../../src/profiles/load.ts';
import { DuplicateAuditor } from '../../src/source/audit.ts';

const CHUNK = 64 * 1024;
/** Files in a directory, as a mail spool or a cache has them. */
const SIBLINGS = 40;
/** Of the second listing, each so manieth file differs; prime, so that it meets files and not directories alone. */
const EVERY = 997;
const MEMORY_LIMIT_MB = 512;

const entries = Number(process.argv[2]);
const folder = process.argv[3] ?? '';

/** What find would print, in its own order: directories as the disk has them, so not sorted. */
function* findOutput(changed: number | undefined): Generator<Buffer> {
  let text = record('d', '/', 0, 4096, 2);
  for (let number = 1; number < entries; number += 1) {
    // A prime stride scatters the names as a hash tree does.
    const scattered = (number * 7_368_787) % entries;
    const directory = Math.floor(scattered / SIBLINGS);
    const parent = `/srv/${directory % 97}/data-${directory}`;
    const touched = changed !== undefined && number % changed === 0 ? 1 : 0;
    if (scattered % SIBLINGS === 0) text += record('d', parent, number, 4096, 2);
    else text += record('f', `${parent}/file-${scattered}.dat`, number, 1000 + (number % 50_000), 1, touched);
    if (text.length < CHUNK) continue;
    yield Buffer.from(text, 'latin1');
    text = '';
  }
  yield Buffer.from(text, 'latin1');
}

function record(type: string, path: string, inode: number, size: number, links: number, touched = 0): string {
  const time = `17${10_000_000 + (inode % 9_999_999) + touched}.1234567890`;
  const mode = type === 'd' ? 755 : 644;
  return `${type} ${mode} 0 0 ${size} ${Math.ceil(size / 512)} ${time} ${time} 2049 ${inode} ${links} ${path}\0\0`;
}

async function list(name: string, changed?: number): Promise<Listing> {
  await mkdir(join(folder, name));
  const writer = new ListingWriter(join(folder, name), 'listing');
  const parser = new FindParser();
  for (const chunk of findOutput(changed)) await writer.add(parser.push(chunk));
  parser.end();
  return writer.finish();
}

async function step<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const started = performance.now();
  const result = await work();
  const seconds = (performance.now() - started) / 1000;
  process.stdout.write(`${name.padEnd(34)}${seconds.toFixed(1).padStart(7)} s ${peak().toFixed(0).padStart(6)} MB\n`);
  return result;
}

function peak(): number {
  return process.resourceUsage().maxRSS / 1000;
}

const rules = new RuleSet(
  baseRules().map(({ pattern, reason }) => ({ level: 'base', action: 'exclude', pattern, reason })),
);
process.stdout.write(`${entries.toLocaleString('en-US')} entries              seconds   peak so far\n`);
const before = await step('read and sort', () => list('before'));
await step('audit duplicates', async () => {
  const walk = new DuplicateAuditor([]).walk();
  const directories = new Directories();
  for await (const batch of before.batches()) {
    for (const entry of batch) walk.add(entry, directories.leaveFor(entry));
  }
});
await mkdir(join(folder, 'plan'));
const plan = await step('rules and plan', () =>
  makePlan(before.batches(), rules, join(folder, 'plan'), { partBytes: partBytesFor(entries * 27_000) }),
);
const after = await step('read and sort the second', () => list('after', EVERY));
const changes = await step('compare', () => Changes.between(before, after, rules, { restless: new Set() }));
await mkdir(join(folder, 'delta'));
await step('plan the delta', () => makeDeltaPlan(changes, rules, join(folder, 'delta')));
const { changed, removed } = changes.counts;
process.stdout.write(`${plan.entries} planned in ${plan.parts.length} parts; ${changed} changed, ${removed} gone\n`);
process.stdout.write(`peak memory ${peak().toFixed(0)} MB, of ${MEMORY_LIMIT_MB} MB allowed\n`);
if (peak() > MEMORY_LIMIT_MB) process.exitCode = 1;
