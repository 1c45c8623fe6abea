/** MB/s of the raw filter, for scripts/bench-filter: `bench-filter.ts TREE FOLDER`. */
import { spawnSync } from 'node:child_process';
import { closeSync, createReadStream, openSync, statSync, writeFileSync } from 'node:fs';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { comparePaths } from '../../src/listing/path.ts';
import type { ByteString } from '../../src/printable.ts';
import { TarFilter } from '../../src/tar/filter.ts';

const LEAST_BYTES = 500_000_000;
const RUNS = 3;
const CHUNK = 256 * 1024;

const [tree = '/usr/lib', folder = '.'] = process.argv.slice(2);
const archive = `${folder}/tree.tar`;

function run(command: string, args: readonly string[], input?: Buffer): Buffer {
  const { status, stdout, stderr } = spawnSync(command, args, { input, maxBuffer: 2 ** 30 });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.toString().slice(-500)}`);
  return stdout;
}

/** The paths of the archive in the order of a capture, all wanted. */
function makeArchive(): ByteString[] {
  const found = run('find', [
    tree,
    '(',
    '-type',
    'f',
    '-links',
    '1',
    '-o',
    '-type',
    'd',
    '-o',
    '-type',
    'l',
    ')',
    '-print0',
  ])
    .toString('latin1')
    .split('\0')
    .filter((path) => path !== '');
  const paths = found.map((path) => path as ByteString).sort(comparePaths);
  const list = `${folder}/names`;
  writeFileSync(list, paths.map((path) => `.${path}\0`).join(''), 'latin1');
  const options = ['--format=posix', '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime'];
  run('tar', ['-c', '-C', '/', '-f', archive, '--no-recursion', '--numeric-owner', ...options, '--null', '-T', list]);
  return paths;
}

/** A small tree is read several times. */
const paths = makeArchive();
const bytes = statSync(archive).size;
const copies = Math.ceil(LEAST_BYTES / bytes);

async function filter(hashed: boolean): Promise<void> {
  const wanted = paths.map((path) => ({ path, hardLinked: false })).values();
  const raw = new TarFilter({ next: () => wanted.next().value }, hashed ? { onDelivered: () => {} } : {});
  for await (const chunk of createReadStream(archive, { highWaterMark: CHUNK })) raw.push(chunk as Buffer);
  raw.end();
  if (raw.counts.entries !== paths.length) throw new Error(`${raw.counts.entries} of ${paths.length} entries came`);
}

async function repack(): Promise<void> {
  const into = pack();
  const from = extract();
  from.on('entry', (header, content, next) => {
    content.pipe(into.entry(header, next));
  });
  from.on('finish', () => into.finalize());
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await Promise.all([pipeline(createReadStream(archive, { highWaterMark: CHUNK }), from), pipeline(into, nowhere)]);
}

function cat(): void {
  const out = openSync('/dev/null', 'w');
  const { status } = spawnSync('sh', ['-c', 'cat "$1" | cat', 'sh', archive], { stdio: ['ignore', out, 'inherit'] });
  closeSync(out);
  if (status !== 0) throw new Error(`cat ended with ${status}`);
}

/** The median of the runs. */
async function measure(name: string, work: () => void | Promise<void>): Promise<void> {
  const rates: number[] = [];
  for (let i = 0; i < RUNS; i += 1) {
    const started = performance.now();
    for (let copy = 0; copy < copies; copy += 1) await work();
    rates.push((bytes * copies) / 1000 / (performance.now() - started));
  }
  const median = rates.sort((a, b) => a - b)[Math.floor(RUNS / 2)] ?? 0;
  process.stdout.write(`${name.padEnd(28)} ${median.toFixed(0).padStart(6)} MB/s\n`);
}

process.stdout.write(`${(bytes / 1e6).toFixed(0)} MB, ${paths.length} entries, read ${copies} times a run\n`);
await measure('cat | cat', cat);
await measure('filter', () => filter(false));
await measure('filter with SHA-256', () => filter(true));
await measure('tar-stream extract and pack', repack);
