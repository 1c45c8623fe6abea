/** `p2c ps`: the containers of the store. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { printable } from '../printable.ts';
import { formatAge } from '../report/units.ts';
import { type ContainerRecord, containerRecords } from '../runtime/list.ts';
import { defineVerb } from './command.ts';

const LONGEST_COMMAND = 30;

export const verb = defineVerb({
  name: 'ps',
  usage: '[options]',
  summary: 'list containers',
  examples: [
    ['p2c ps', 'those that run'],
    ['p2c ps -a --json', 'all of them, as JSON'],
    ['p2c rm -f $(p2c ps -aq)', 'remove all'],
  ],
  options: (parser) =>
    parser
      .option('all', { alias: 'a', type: 'boolean', default: false, describe: 'those that ended too' })
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'IDs only' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON array' }),
  async run(options, words) {
    if (words.length > 0) throw usageError("'ps' takes no words", { code: 'usage' });
    const records = (await containerRecords(storeRoot())).filter(({ status }) => options.all || status === 'running');
    if (options.json) process.stdout.write(`${JSON.stringify(records)}\n`);
    else if (options.quiet) process.stdout.write(records.map(({ id }) => `${id.slice(0, 12)}\n`).join(''));
    else process.stdout.write(table(records));
    return ExitCode.done;
  },
});

function table(records: readonly ContainerRecord[]): string {
  const rows = [
    ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'NAME'],
    ...records.map((record) => [
      record.id.slice(0, 12),
      record.image,
      shortened(record.command.join(' ')),
      formatAge(Date.now() - Date.parse(record.created)),
      statusText(record),
      record.name,
    ]),
  ].map((row) => row.map((cell) => printable(cell)));
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const line = (row: readonly string[]): string => row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('  ');
  return rows.map((row) => `${line(row).trimEnd()}\n`).join('');
}

function shortened(text: string): string {
  return text.length > LONGEST_COMMAND ? `${text.slice(0, LONGEST_COMMAND - 1)}…` : text;
}

function statusText({ status, exitCode }: ContainerRecord): string {
  return status === 'exited' ? `exited (${exitCode ?? 'unknown'})` : status;
}
