/** `p2c runs rm`: forgets runs, and frees what they kept for going on. Images stay. */
import { ExitCode, usageError } from '../errors.ts';
import { lockRun } from '../fleet/run.ts';
import { findRun, readRun, removeRunFolder, runFolder, runIds } from '../fleet/runs.ts';
import { storeRoot } from '../oci/root.ts';
import { ImageStore } from '../oci/store.ts';
import { jsonText } from '../printable.ts';
import { formatBytes, formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { isDone } from './run-plan.ts';

export const verb = defineVerb({
  name: 'runs rm',
  usage: '[options] RUN...',
  summary: 'forget runs, and free what was captured for them and is part of no image; images stay',
  examples: [
    ['p2c runs rm 20261125-094007-3f2a', 'it cannot be resumed any more'],
    ['p2c runs rm --done', 'all runs of which every host is done'],
  ],
  options: (parser) =>
    parser
      .option('done', { type: 'boolean', default: false, describe: 'all runs of which every host is done' })
      .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' }),
  async run({ done, json }, names) {
    if (done === names.length > 0) {
      throw usageError(done ? '--done and names of runs do not go together' : 'no run is named', {
        code: 'usage',
        hint: "'p2c runs ls' lists them; --done means all that are done",
      });
    }
    const root = storeRoot();
    const ids = done ? await doneRuns(root) : await namedRuns(root, names);
    let bytes = 0;
    for (const id of ids) bytes += await remove(root, id);
    if (json) process.stdout.write(`${jsonText({ removed: ids, bytes })}\n`);
    else process.stdout.write(`${formatCount(ids.length, 'run')} forgotten, ${formatBytes(bytes)} freed\n`);
    return ExitCode.done;
  },
});

async function namedRuns(root: string, names: readonly string[]): Promise<string[]> {
  const ids = new Set<string>();
  for (const name of names) ids.add(await findRun(root, name));
  return [...ids];
}

async function doneRuns(root: string): Promise<string[]> {
  const done: string[] = [];
  for (const id of await runIds(root)) {
    const run = await readRun(root, id).catch(() => undefined);
    if (run !== undefined && isDone(run)) done.push(id);
  }
  return done;
}

/** The blobs go before the folder: of a removal that is cut off, the run is still there to be removed. */
async function remove(root: string, id: string): Promise<number> {
  const held = await lockRun(runFolder(root, id), id);
  try {
    const { bytes } = await (await ImageStore.open(root)).release(id);
    await removeRunFolder(root, id);
    return bytes;
  } finally {
    await held[Symbol.asyncDispose]();
  }
}
