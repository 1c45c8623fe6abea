import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename } from 'node:path';
import test from 'ava';
import { comparePaths } from '../../src/listing/path.ts';
import { HazardPaths } from '../../src/pipeline/hazard-paths.ts';
import { type ByteString, byteString, byteStringFromText } from '../../src/printable.ts';
import { jsonPieces } from '../../src/report/long-json.ts';
import { surveyJson } from '../../src/report/survey-json.ts';
import type { SurveyReport } from '../../src/report/survey-report.ts';
import { collect } from '../helpers/entries.ts';
import { SURVEY_REPORT } from '../helpers/survey-report.ts';

const HOSTILE: readonly ByteString[] = [
  byteStringFromText('/new\nline'),
  byteString(Buffer.from('/caf\xe9', 'latin1')),
  byteStringFromText('/"quoted\\'),
  byteStringFromText('/\x1b[31mred'),
  byteStringFromText('/straße'),
  byteStringFromText('/right\u202eleft'),
];

test.serial('all paths come back, of each hazard its own, in path order and byte for byte', async (t) => {
  await using paths = new HazardPaths();
  const long = Array.from({ length: 60_000 }, (_, number) =>
    byteStringFromText(`/${number}/${'ü'.repeat(number % 90)}`),
  );
  for (const [index, path] of [...HOSTILE, ...long].entries()) {
    paths.add('device node', path);
    if (index % 2 === 0) paths.add('file with holes', path);
    if (index % 100 === 0) await paths.drain();
  }
  t.true((await collect(paths.batches('device node'))).join() === [...HOSTILE, ...long].sort(comparePaths).join());
  const even = [...HOSTILE, ...long].filter((_, index) => index % 2 === 0).sort(comparePaths);
  t.true((await collect(paths.batches('file with holes'))).join() === even.join());
  await paths.clear();
  paths.add('device node', byteStringFromText('/again'));
  t.deepEqual((await collect(paths.batches('device node'))).map(String), ['/again']);
  t.deepEqual(await collect(paths.batches('file with holes')), []);
  t.deepEqual(await collect(paths.batches('owner above 65535')), []);
});

test.serial('several finds that write at the same time do not write into each other', async (t) => {
  await using paths = new HazardPaths();
  const all: ByteString[] = [];
  // Each piece is 2.5 MB, which Node.js writes in several; the second is ready while the first is written.
  const find = async (name: string): Promise<void> => {
    for (let piece = 0; piece < 3; piece += 1) {
      const some = Array.from({ length: 2500 }, (_, n) =>
        byteStringFromText(`/${name}${piece}/${n}/${name.repeat(1000)}`),
      );
      for (const path of some) paths.add('device node', path);
      all.push(...some);
      await paths.drain();
    }
  };
  await Promise.all(['a', 'b', 'c', 'd'].map(find));
  t.true((await collect(paths.batches('device node'))).join() === all.sort(comparePaths).join());
  const late = find('e');
  await paths.clear();
  await late;
  await paths.clear();
  t.deepEqual(await collect(paths.batches('device node')), []);
});

test.serial('no name is left of the files while they are in use', async (t) => {
  const folders = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith(`p2c-run-${process.pid}-`));
  const before = folders();
  await using paths = new HazardPaths();
  // More than is held in memory.
  for (let n = 0; n < 3000; n += 1) paths.add('device node', byteStringFromText(`/dev/${n}/${'x'.repeat(1000)}`));
  await paths.drain();
  // The listing itself is among what is open, and is closed by then.
  const links = readdirSync('/proc/self/fd').map((fd) => `/proc/self/fd/${fd}`);
  const files = links
    .filter((link) => existsSync(`/proc/self/fdinfo/${basename(link)}`))
    .map((link) => readlinkSync(link));
  t.true(files.some((file) => file.endsWith('/hazards (deleted)')));
  t.deepEqual(folders(), before);
  t.is((await collect(paths.batches('device node'))).length, 3000);
});

test.serial('the JSON of an audit has every path of a hazard, printed as all names are', async (t) => {
  await using paths = new HazardPaths();
  for (const path of HOSTILE) paths.add('name with control characters', path);
  const report: SurveyReport = {
    ...SURVEY_REPORT,
    anatomy: {
      tops: [],
      largest: [],
      hazards: [{ kind: 'name with control characters', entries: 6, examples: ['/new\\nline'] }],
    },
  };
  const pieces: string[] = [];
  for await (const piece of jsonPieces(surveyJson(report, (kind) => paths.batches(kind)))) pieces.push(piece);
  const text = pieces.join('');
  t.false(/[\x00-\x1f\x7f\u202e\ufffd]/.test(text));
  const printed = ['/\\x1b[31mred', '/"quoted\\', '/caf\\xe9', '/new\\nline', '/right\\u{202e}left', '/straße'];
  t.deepEqual(JSON.parse(text), {
    ...report,
    anatomy: { ...report.anatomy, hazards: [{ ...report.anatomy.hazards[0], paths: printed }] },
  });
});
