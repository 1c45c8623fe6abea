/** `p2c ps`: the containers of the store. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { formatAge } from '../report/units.ts';
import { type ContainerRecord, containerRecords } from '../runtime/list.ts';
import { portText } from '../runtime/network/settings.ts';
import { defineVerb } from './command.ts';
import { parseFormat } from './format-template.ts';
import { parseFilters } from './ps-filters.ts';
import { terminalWidth } from './show.ts';

const LONGEST_COMMAND = 30;
const SHORT_ID = 12;

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
      .option('last', { alias: 'n', type: 'number', requiresArg: true, describe: 'the newest so many, in any state' })
      .option('filter', {
        alias: 'f',
        type: 'string',
        array: true,
        nargs: 1,
        describe: 'status=, name=PATTERN, id=, ancestor=',
      })
      .option('trunc', { type: 'boolean', default: true, describe: 'shorten IDs and commands (--no-trunc: do not)' })
      .option('format', { type: 'string', requiresArg: true, describe: "a line each: '{{.ID}} {{.Names}}', or json" })
      .option('quiet', { alias: 'q', type: 'boolean', default: false, describe: 'IDs only' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON array' }),
  async run(options, words) {
    if (words.length > 0) throw usageError("'ps' takes no words", { code: 'usage' });
    const isMeant = parseFilters(options.filter ?? []);
    const asked = options.filter?.some((filter) => filter.startsWith('status='));
    const any = options.all || options.last !== undefined || asked === true;
    const found = (await containerRecords(storeRoot())).filter((record) => isMeant(record) && (any || isUp(record)));
    const records = options.last === undefined ? found : found.slice(0, options.last);
    const id = (record: ContainerRecord): string => record.id.slice(0, options.trunc ? SHORT_ID : undefined);
    if (options.json) process.stdout.write(`${jsonText(records)}\n`);
    else if (options.format !== undefined) {
      const word = parseFormat(options.format);
      process.stdout.write(records.map((record) => `${word(fieldsOf(record, id(record)))}\n`).join(''));
    } else if (options.quiet) process.stdout.write(records.map((record) => `${id(record)}\n`).join(''));
    else {
      const rows = records.map((record) => rowOf(record, id(record), options.trunc));
      const headings = ['CONTAINER ID', 'IMAGE', 'COMMAND', 'CREATED', 'STATUS', 'PORTS', 'NAME'];
      process.stdout.write(`${table(rows, headings, options.trunc ? terminalWidth() : Number.POSITIVE_INFINITY)}\n`);
    }
    return ExitCode.done;
  },
});

function isUp({ status }: ContainerRecord): boolean {
  return status !== 'created' && status !== 'exited';
}

function rowOf(record: ContainerRecord, id: string, trunc: boolean): string[] {
  const command = record.command.join(' ');
  const ports = record.ports.map(portText).join(', ');
  return [
    id,
    record.image,
    trunc ? shortened(command) : command,
    ageOf(record),
    statusText(record),
    ports,
    record.name,
  ];
}

/** podman's names for them. */
function fieldsOf(record: ContainerRecord, id: string) {
  return {
    ID: id,
    Names: record.name,
    Image: record.image,
    Command: record.command.join(' '),
    CreatedAt: record.created,
    RunningFor: ageOf(record),
    Status: statusText(record),
    State: record.status,
    Ports: record.ports.map(portText).join(', '),
    Networks: record.networks.map(({ name }) => name).join(','),
    Pid: record.pid ?? 0,
    ExitCode: record.exitCode ?? 0,
  };
}

function ageOf({ created }: ContainerRecord): string {
  return formatAge(Date.now() - Date.parse(created));
}

function shortened(text: string): string {
  return text.length > LONGEST_COMMAND ? `${text.slice(0, LONGEST_COMMAND - 1)}…` : text;
}

function statusText({ status, exitCode }: ContainerRecord): string {
  return status === 'exited' ? `exited (${exitCode ?? 'unknown'})` : status;
}
