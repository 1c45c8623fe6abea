/** A run in the forms that programs read: each line and each word where its specification wants it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { readRun } from '../../src/fleet/runs.ts';
import { runCsv } from '../../src/report/csv.ts';
import { runJunit } from '../../src/report/junit.ts';
import { writeMetrics } from '../../src/report/metrics.ts';
import type { RunRecord } from '../../src/report/run-record.ts';
import { HOSTILE, makeRun } from '../helpers/made-runs.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function hostileRun(t: ExecutionContext): Promise<{ run: RunRecord; root: string }> {
  const root = await temporaryFolder(t);
  const run = await readRun(root, await makeRun(root, 20, [...HOSTILE, 'a "quoted", name', 'back\\slash\nnewline']));
  if (run === undefined) throw new Error('there is no run');
  return { run, root };
}

/** Cells of RFC 4180: `"` around those that hold a comma, a quote or a line's end, and doubled within. */
function cellsOf(csv: string): string[][] {
  return csv
    .split(/\r\n(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .filter((line) => line !== '')
    .map((line) =>
      [...line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^",]*))/g)].map(([, quoted, plain]) =>
        quoted === undefined ? (plain ?? '') : quoted.replaceAll('""', '"'),
      ),
    );
}

test('a spreadsheet has a line per host, with as many cells each, and no formula', async (t) => {
  const { run } = await hostileRun(t);
  const [heads = [], ...lines] = cellsOf(runCsv(run));
  t.is(lines.length, 20);
  for (const cells of lines) {
    t.is(cells.length, heads.length, cells.join('|'));
    for (const cell of cells) t.notRegex(cell, /^[=+\-@]/);
  }
  const names = lines.map(([name]) => name);
  t.true(names.includes('a "quoted", name'));
  t.is(lines[5]?.[heads.indexOf('error_code')], 'ssh.auth');
  t.is(lines[0]?.[heads.indexOf('state')], 'done');
});

/** Attributes and children that Jenkins' junit-10.xsd knows, of the elements that are used here. */
const ALLOWED: Readonly<Record<string, RegExp>> = {
  testsuites: /^(?:name|time|tests|failures|disabled|errors)$/,
  testsuite: /^(?:name|tests|failures|errors|group|time|skipped|timestamp|hostname|id|package|file|log|url|version)$/,
  testcase: /^(?:name|time|classname|group)$/,
  failure: /^(?:type|message)$/,
  skipped: /^(?:type|message)$/,
};

test('JUnit XML has the elements, attributes and numbers that CI servers know', async (t) => {
  const { run } = await hostileRun(t);
  const xml = runJunit(run);
  const tags = [...xml.matchAll(/<([a-z]+)((?: [a-z]+="[^"<]*")*)\/?>/g)];
  t.is(tags.length, [...xml.matchAll(/<[a-z]/g)].length, 'every element is well-formed');
  for (const [, name = '', attributes = ''] of tags) {
    for (const [, attribute = ''] of attributes.matchAll(/ ([a-z]+)="[^"]*"/g))
      t.regex(attribute, ALLOWED[name] ?? /^$/, name);
  }
  const count = (name: string): number => tags.filter(([, each]) => each === name).length;
  t.is(count('testcase'), 20);
  t.regex(xml, new RegExp(`<testsuite [^>]*tests="20" failures="${count('failure')}" errors="0" [^>]*skipped="0"`));
  t.regex(xml, /timestamp="2026-11-21T22:00:00"/);
  t.notRegex(xml, /[\x00-\x08\x0b\x0c\x0e-\x1f]/);
});

test('metrics are of the exposition format: help and type once, then all samples, each series once', async (t) => {
  const { run, root } = await hostileRun(t);
  const file = join(root, 'p2c.prom');
  await writeMetrics(file, run);
  const text = await readFile(file, 'utf8');
  t.true(text.endsWith('\n'));
  const series = new Set<string>();
  const families: string[] = [];
  for (const line of text.trimEnd().split('\n')) {
    const [, keyword, family] = /^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) \S/.exec(line) ?? [];
    if (keyword === 'HELP') families.push(family ?? '');
    if (keyword !== undefined) {
      t.is(family, families.at(-1));
      continue;
    }
    const [, name, labels] =
      /^([a-zA-Z_:][a-zA-Z0-9_:]*)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)*)\} -?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/.exec(
        line,
      ) ?? [];
    t.is(name, families.at(-1), line);
    t.false(series.has(`${name}{${labels}}`), line);
    series.add(`${name}{${labels}}`);
  }
  t.is(new Set(families).size, families.length);
  t.true(series.has('p2c_host_success{host="back\\\\slash\\nnewline"}'));
});
