/** `p2c runs ls`: the runs that the store remembers. */

import pLimit from 'p-limit';
import { ExitCode, messageOf, usageError } from '../errors.ts';
import { runIds, seeRun } from '../fleet/runs.ts';
import { storeRoot } from '../oci/root.ts';
import { jsonText } from '../printable.ts';
import type { RunRecord } from '../report/run-record.ts';
import { describeState } from '../report/run-state.ts';
import { table } from '../report/table.ts';
import { formatAge, formatCount } from '../report/units.ts';
import { defineVerb } from './command.ts';
import { tableWidth } from './show.ts';

export const verb = defineVerb({
  name: 'runs ls',
  usage: '[options]',
  summary: 'list the runs that the store remembers, the newest first',
  examples: [
    ['p2c runs ls', 'which runs there are, and what came of them'],
    ['p2c runs ls --json', 'for a program'],
  ],
  options: (parser) => parser.option('json', { type: 'boolean', default: false, describe: 'print one JSON array' }),
  async run({ json }, words) {
    if (words.length > 0) throw usageError("'runs ls' takes no words", { code: 'usage' });
    const root = storeRoot();
    const fewAtOnce = pLimit(JOURNALS_AT_ONCE);
    const runs = await fewAtOnce.map(await runIds(root), (id) => rowOf(root, id));
    if (json) process.stdout.write(`${jsonText(runs.map((row) => row.record))}\n`);
    else
      process.stdout.write(
        `${table(
          runs.map((row) => row.cells),
          HEADINGS,
          tableWidth(),
        )}\n`,
      );
    return ExitCode.done;
  },
});

/** A journal may have megabytes of events; of each a row is left. */
const JOURNALS_AT_ONCE = 4;
const HEADINGS = ['RUN', 'VERB', 'BEGUN', 'HOSTS', 'STATE'];

async function rowOf(root: string, id: string): Promise<{ cells: string[]; record: object }> {
  try {
    const seen = await seeRun(root, id);
    if (seen === undefined)
      return { cells: [id, '-', '-', '-', 'never began'], record: { run: id, state: 'never began' } };
    const { run, state } = seen;
    return {
      cells: [id, run.verb, formatAge(Date.now() - run.began), hosts(run), describeState(run, state)],
      record: recordOf(run, state),
    };
  } catch (error) {
    return { cells: [id, '-', '-', '-', `damaged: ${messageOf(error)}`], record: { run: id, state: 'damaged' } };
  }
}

function hosts({ hosts: all }: RunRecord): string {
  return all.length === 1 ? (all[0]?.name ?? '') : formatCount(all.length, 'host');
}

function recordOf(run: RunRecord, state: string): object {
  return {
    run: run.id,
    verb: run.verb,
    state,
    began: new Date(run.began).toISOString(),
    lastSeen: new Date(run.lastSeen).toISOString(),
    exitCode: run.exitCode ?? null,
    resumed: run.resumed,
    hosts: run.hosts.map(({ name, target, image, state: each }) => ({ name, target, image, state: each })),
  };
}
