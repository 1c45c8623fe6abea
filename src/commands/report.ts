/** `p2c report`: what came of a run, as files that people and programs look at. */

import { open, rename, rm } from 'node:fs/promises';
import type { Argv } from 'yargs';
import { ExitCode, usageError } from '../errors.ts';
import { fileError } from '../oci/files.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { runCsv } from '../report/csv.ts';
import { reportPage } from '../report/html/page.ts';
import { runJunit } from '../report/junit.ts';
import type { RunRecord } from '../report/run-record.ts';
import { toldRun } from '../report/told-argv.ts';
import { defineVerb } from './command.ts';
import { namedRun } from './named-run.ts';

const FORMATS = ['html', 'csv', 'json', 'junit'] as const;
type Format = (typeof FORMATS)[number];
type Options = Readonly<Record<Format, string | undefined>>;

export const verb = defineVerb({
  name: 'report',
  usage: '[options] [RUN]',
  summary: 'write what came of a run: one page for people, tables for programs; - is standard output',
  examples: [
    ['p2c report --html monday.html', 'the newest run, as a page that opens from disk'],
    ['p2c report 20261125-0940 --csv hosts.csv --junit junit.xml', 'for a spreadsheet and for CI'],
    ['p2c report --json -', 'all that is known of it'],
  ],
  options: (parser): Argv<Options> =>
    parser
      .option('html', { type: 'string', requiresArg: true, describe: 'file for the page' })
      .option('csv', { type: 'string', requiresArg: true, describe: 'file for a line per host (RFC 4180)' })
      .option('json', { type: 'string', requiresArg: true, describe: 'file for one JSON object' })
      .option('junit', { type: 'string', requiresArg: true, describe: 'file for JUnit XML: a test case per host' }),
  async run(options, words) {
    const wanted = FORMATS.flatMap((format) => {
      const file = options[format];
      return file === undefined ? [] : [{ format, file }];
    });
    if (wanted.length === 0) {
      throw usageError('no file is named', { code: 'usage', hint: "'--html FILE', --csv, --json or --junit" });
    }
    if (wanted.filter(({ file }) => file === '-').length > 1) {
      throw usageError('standard output takes one of them', { code: 'usage' });
    }
    const seen = await namedRun(storeRoot(), words);
    for (const { format, file } of wanted) await write(file, textOf(format, seen.run, seen.state));
    return ExitCode.done;
  },
});

function textOf(format: Format, run: RunRecord, state: string): string {
  if (format === 'html') return reportPage(run, state);
  if (format === 'csv') return runCsv(run);
  if (format === 'junit') return runJunit(run);
  return `${jsonText({ ...toldRun(run), state })}\n`;
}

/** As a whole, or not at all: somebody may have the last one open. */
async function write(file: string, text: string): Promise<void> {
  if (file === '-') {
    process.stdout.write(text);
    return;
  }
  const whole = `${file}.${process.pid}.new`;
  try {
    const handle = await open(whole, 'w', 0o644);
    await handle.writeFile(text).finally(() => handle.close());
    await rename(whole, file);
  } catch (error) {
    await rm(whole, { force: true });
    throw fileError(error, file);
  }
}
