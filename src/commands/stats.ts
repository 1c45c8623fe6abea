/** `p2c stats`: what containers take of the machine. */

import { totalmem } from 'node:os';
import { ExitCode } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { formatBytes } from '../report/units.ts';
import { type Container, readState } from '../runtime/container.ts';
import { listContainers } from '../runtime/containers.ts';
import { type Usage, usageOf } from '../runtime/usage.ts';
import { defineVerb } from './command.ts';
import { parseFormat } from './format-template.ts';
import { namedContainers } from './named-containers.ts';
import { terminalWidth } from './show.ts';

const DEFAULT_INTERVAL = 5;
/** Milliseconds over which the first reading measures the processors. */
const FIRST_LOOK = 500;

export const verb = defineVerb({
  name: 'stats',
  usage: '[options] [CONTAINER...]',
  summary: 'show what running containers take of the machine, again and again',
  examples: [
    ['p2c stats', 'all that run, every five seconds'],
    ['p2c stats --no-stream --json old', 'once, as JSON'],
  ],
  options: (parser) =>
    parser
      .option('stream', { type: 'boolean', default: true, describe: 'go on (--no-stream: show it once)' })
      .option('interval', { alias: 'i', type: 'number', default: DEFAULT_INTERVAL, describe: 'seconds between' })
      .option('format', {
        type: 'string',
        requiresArg: true,
        describe: "a line each: '{{.Name}} {{.CPUPerc}}', or json",
      })
      .option('json', { type: 'boolean', default: false, describe: 'print a JSON array a reading' }),
  async run({ stream, interval, format, json }, words) {
    const word = format === undefined ? undefined : parseFormat(format);
    const root = storeRoot();
    let before = await readings(root, words);
    let pause = FIRST_LOOK;
    do {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const now = await readings(root, words);
      const records = now.map((reading) =>
        recordOf(
          reading,
          before.find(({ id }) => id === reading.id),
        ),
      );
      if (json) process.stdout.write(`${jsonText(records)}\n`);
      else if (word !== undefined) process.stdout.write(records.map((record) => `${word(record)}\n`).join(''));
      else show(records, stream);
      before = now;
      pause = Math.max(0.1, interval) * 1000;
    } while (stream && before.length > 0);
    return ExitCode.done;
  },
});

interface Reading {
  readonly id: string;
  readonly name: string;
  readonly at: number;
  readonly usage: Usage;
}

/** Of those that run. */
async function readings(root: string, words: readonly string[]): Promise<Reading[]> {
  const containers: Container[] = words.length > 0 ? await namedContainers(root, words) : await listContainers(root);
  const found: Reading[] = [];
  for (const { folder, definition } of containers) {
    const state = await readState(folder).catch(() => undefined);
    if (state?.status !== 'running' || state.init === undefined) continue;
    found.push({ id: definition.id, name: definition.name, at: performance.now(), usage: usageOf(state.init) });
  }
  return found;
}

function recordOf({ id, name, at, usage }: Reading, before: Reading | undefined) {
  const seconds = before === undefined ? 0 : (at - before.at) / 1000;
  const spent = before === undefined ? 0 : Math.max(0, usage.cpuSeconds - before.usage.cpuSeconds);
  const limit = usage.memoryLimit ?? totalmem();
  return {
    ID: id.slice(0, 12),
    Name: name,
    CPUPerc: `${(seconds > 0 ? (100 * spent) / seconds : 0).toFixed(2)}%`,
    MemUsage: `${formatBytes(usage.memory)} / ${formatBytes(limit)}`,
    MemUsageBytes: usage.memory,
    MemPerc: `${((100 * usage.memory) / limit).toFixed(2)}%`,
    NetIO: `${formatBytes(usage.received)} / ${formatBytes(usage.sent)}`,
    BlockIO: `${formatBytes(usage.read)} / ${formatBytes(usage.written)}`,
    PIDs: usage.processes,
  };
}

function show(records: readonly ReturnType<typeof recordOf>[], again: boolean): void {
  const rows = records.map((record) => [
    ...[record.ID, record.Name, record.CPUPerc, record.MemUsage, record.MemPerc, record.NetIO, record.BlockIO],
    String(record.PIDs),
  ]);
  const headings = ['ID', 'NAME', 'CPU %', 'MEM USAGE / LIMIT', 'MEM %', 'NET IO', 'BLOCK IO', 'PIDS'];
  // On a terminal each reading takes the place of the last.
  const home = again && process.stdout.isTTY ? '\u001b[H\u001b[J' : '';
  process.stdout.write(`${home}${table(rows, headings, terminalWidth())}\n`);
}
