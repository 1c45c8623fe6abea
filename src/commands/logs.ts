/** `p2c logs`: what a container said. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import { stateOrGone } from '../runtime/container.ts';
import { type LogRecord, readLog } from '../runtime/log.ts';
import { defineVerb } from './command.ts';
import { passOn } from './container-process.ts';
import { parseMoment } from './moment.ts';
import { namedContainer } from './named-containers.ts';

export const verb = defineVerb({
  name: 'logs',
  usage: '[options] CONTAINER',
  summary: 'print what a container said',
  examples: [
    ['p2c logs old', 'all of it'],
    ['p2c logs -f --tail 10 old', 'the last ten lines, and what follows'],
    ['p2c logs -t --since 10m old', 'that of the last ten minutes, with the time before each line'],
  ],
  options: (parser) =>
    parser
      .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'go on until the container ends' })
      .option('tail', { alias: 'n', type: 'number', requiresArg: true, describe: 'the last lines only' })
      .option('since', { type: 'string', requiresArg: true, describe: 'from then on: 10m, 2h, or an ISO 8601 time' })
      .option('until', { type: 'string', requiresArg: true, describe: 'until then, in the same form' })
      .option('timestamps', { alias: 't', type: 'boolean', default: false, describe: 'the time before each line' })
      .option('json', { type: 'boolean', default: false, describe: 'a JSON object a line: time, stream and text' }),
  async run({ follow, tail, timestamps, json, ...options }, words) {
    if (tail !== undefined && !(Number.isSafeInteger(tail) && tail >= -1)) {
      throw usageError('--tail takes a number of lines', { code: 'usage' });
    }
    const since = options.since === undefined ? '' : parseMoment('--since', options.since);
    const until = options.until === undefined ? '\uffff' : parseMoment('--until', options.until);
    const isMeant = ({ time }: LogRecord): boolean => time >= since && time <= until;
    const { folder } = await namedContainer(storeRoot(), words);
    const goesOn = async (): Promise<boolean> => {
      // Gone: it removed itself with its end. What it said until then is still to be read from the open file.
      const { status } = (await stateOrGone(folder)) ?? { status: 'exited' };
      return status !== 'exited' && status !== 'created';
    };
    const all = (more: () => Promise<boolean>): AsyncIterable<LogRecord> => chosen(readLog(folder, more), isMeant);
    let from = 0;
    if (tail !== undefined && tail >= 0) from = (await count(all(async () => false))) - tail;
    let at = 0;
    const print = json ? printJson : printer(timestamps);
    for await (const record of all(async () => follow && (await goesOn()))) {
      if (at >= from) await print(record);
      at += 1;
    }
    return ExitCode.done;
  },
});

async function* chosen(
  records: AsyncIterable<LogRecord>,
  isMeant: (record: LogRecord) => boolean,
): AsyncGenerator<LogRecord> {
  for await (const record of records) if (isMeant(record)) yield record;
}

/** As the container said it, escape sequences included, as podman does: what it prints is its user's to judge. */
function printer(timestamps: boolean): (record: LogRecord) => Promise<void> {
  const lineEnded = { stdout: true, stderr: true };
  return async ({ time, stream, text }) => {
    const stamp = timestamps && lineEnded[stream] ? `${time} ` : '';
    lineEnded[stream] = text.endsWith('\n');
    await passOn(stream, Buffer.from(`${stamp}${text}`, 'utf8'));
  };
}

async function printJson(record: LogRecord): Promise<void> {
  await passOn('stdout', Buffer.from(`${jsonText(record)}\n`, 'utf8'));
}

async function count(records: AsyncIterable<LogRecord>): Promise<number> {
  let number = 0;
  for await (const _ of records) number += 1;
  return number;
}
