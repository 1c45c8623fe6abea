/** `p2c logs`: what a container said. */
import { ExitCode, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import { readState } from '../runtime/container.ts';
import { findContainer } from '../runtime/containers.ts';
import { type LogRecord, readLog } from '../runtime/log.ts';
import { defineVerb } from './command.ts';
import { passOn } from './container-process.ts';

export const verb = defineVerb({
  name: 'logs',
  usage: '[options] CONTAINER',
  summary: 'print what a container said',
  examples: [
    ['p2c logs old', 'all of it'],
    ['p2c logs -f --tail 10 old', 'the last ten lines, and what follows'],
  ],
  options: (parser) =>
    parser
      .option('follow', { alias: 'f', type: 'boolean', default: false, describe: 'go on until the container ends' })
      .option('tail', { alias: 'n', type: 'number', requiresArg: true, describe: 'the last lines only' }),
  async run({ follow, tail }, words) {
    const [name] = words;
    if (name === undefined || words.length > 1) throw usageError('one container is expected', { code: 'usage' });
    if (tail !== undefined && !(Number.isSafeInteger(tail) && tail >= 0)) {
      throw usageError('--tail takes a number of lines', { code: 'usage' });
    }
    const { folder } = await findContainer(storeRoot(), name);
    const runs = async (): Promise<boolean> => (await readState(folder)).status !== 'exited';
    let from = 0;
    if (tail !== undefined) from = (await count(readLog(folder, async () => false))) - tail;
    let at = 0;
    for await (const record of readLog(folder, async () => follow && (await runs()))) {
      if (at >= from) await print(record);
      at += 1;
    }
    return ExitCode.done;
  },
});

/** As the container said it, escape sequences included, as podman does: what it prints is its user's to judge. */
async function print({ stream, text }: LogRecord): Promise<void> {
  await passOn(stream, Buffer.from(text, 'utf8'));
}

async function count(records: AsyncIterable<LogRecord>): Promise<number> {
  let number = 0;
  for await (const _ of records) number += 1;
  return number;
}
