/** `p2c top`: the processes of a container. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { table } from '../report/table.ts';
import { formatBytes } from '../report/units.ts';
import { readState } from '../runtime/container.ts';
import { findContainer } from '../runtime/containers.ts';
import { notRunning } from '../runtime/end.ts';
import { placeOf } from '../runtime/place.ts';
import { type ContainerProcessRecord, processesOf } from '../runtime/processes.ts';
import { userNames } from '../runtime/user.ts';
import { defineVerb } from './command.ts';
import { terminalWidth } from './show.ts';

interface Column {
  readonly heading: string;
  readonly value: (process: ContainerProcessRecord, names: ReadonlyMap<number, string>) => string;
}

/** podman's descriptors, as far as /proc has them. */
const COLUMNS: Readonly<Record<string, Column>> = {
  user: { heading: 'USER', value: ({ uid }, names) => names.get(uid) ?? String(uid) },
  pid: { heading: 'PID', value: ({ pid }) => String(pid) },
  ppid: { heading: 'PPID', value: ({ parentPid }) => String(parentPid) },
  hpid: { heading: 'HPID', value: ({ hostPid }) => String(hostPid) },
  pcpu: {
    heading: '%CPU',
    value: ({ cpuSeconds, elapsed }) => (elapsed > 0 ? (100 * cpuSeconds) / elapsed : 0).toFixed(3),
  },
  etime: { heading: 'ELAPSED', value: ({ elapsed }) => duration(elapsed) },
  tty: { heading: 'TTY', value: ({ terminal }) => terminal },
  time: { heading: 'TIME', value: ({ cpuSeconds }) => duration(cpuSeconds) },
  state: { heading: 'STATE', value: ({ state }) => state },
  rss: { heading: 'RSS', value: ({ residentMemory }) => formatBytes(residentMemory) },
  args: { heading: 'COMMAND', value: ({ command }) => command },
};
const DEFAULT = ['user', 'pid', 'ppid', 'pcpu', 'etime', 'tty', 'time', 'args'];

export const verb = defineVerb({
  name: 'top',
  usage: '[options] CONTAINER [COLUMN...]',
  summary: `show the processes of a container; columns are ${Object.keys(COLUMNS).join(', ')}`,
  examples: [
    ['p2c top old', 'all its processes'],
    ['p2c top old pid hpid args', 'which number each has on this machine'],
    ['p2c top --json old', 'as JSON'],
  ],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print a JSON array' }),
  async run({ json }, words) {
    const [name, ...given] = words;
    if (name === undefined) throw usageError('no container is named', { code: 'usage', hint: "'p2c ps' lists them" });
    const wanted = given.flatMap((word) => word.split(',')).map((word) => word.toLowerCase());
    const columns = (wanted.length === 0 ? DEFAULT : wanted).map(columnOf);
    const container = await findContainer(storeRoot(), name);
    const { status, init } = await readState(container.folder);
    if (status !== 'running' || init === undefined) throw notRunning(container);
    const processes = processesOf(init);
    if (json) process.stdout.write(`${jsonText(processes)}\n`);
    else {
      const names = userNames((await placeOf(container)).layers);
      const rows = processes.map((one) => columns.map(({ value }) => value(one, names)));
      const headings = columns.map(({ heading }) => heading);
      process.stdout.write(`${table(rows, headings, terminalWidth())}\n`);
    }
    return ExitCode.done;
  },
});

function columnOf(word: string): Column {
  const column = COLUMNS[word];
  if (column !== undefined) return column;
  throw usageError(`there is no column '${word}'`, { code: 'usage', hint: Object.keys(COLUMNS).join(', ') });
}

/** As podman: `1h2m3.5s`. */
function duration(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const rest = `${Number((seconds - minutes * 60).toFixed(2))}s`;
  if (minutes === 0) return rest;
  const hours = Math.floor(minutes / 60);
  return hours === 0 ? `${minutes}m${rest}` : `${hours}h${minutes - hours * 60}m${rest}`;
}
