/** What `p2c migrate` is called with when a run goes on: the words of its beginning, and above them what is given now. */
import { isDeepStrictEqual } from 'node:util';
import yargs, { type Argv } from 'yargs';
import { messageOf, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import type { RunRecord } from '../report/run-record.ts';
import { migrateOptions, type Options } from './migrate-options.ts';
import { runToResume } from './run-plan.ts';

/** One call of `p2c migrate`. */
export interface Call {
  readonly options: Options;
  readonly words: readonly string[];
  /** As typed. */
  readonly argv: readonly string[];
  /** The run that goes on. */
  readonly resumed?: RunRecord;
}

/**
 * Also goes to the folder that the run was begun in: relative paths are meant from there.
 * @throws P2cError `run.unknown`, `run.done`, `run.folder`.
 */
export async function resumedCall(now: Options, words: readonly string[]): Promise<Call> {
  if (words.length > 0) {
    throw usageError('--resume goes on with the hosts of the run: no target is named with it', {
      code: 'usage',
      hint: "'--resume RUN' names a run; 'p2c runs ls' lists them",
    });
  }
  const resumed = await runToResume(storeRoot(), 'migrate', now.resume ?? '');
  enter(resumed);
  const parse = async (argv: readonly string[]) => migrateOptions(rememberedParser()).parseAsync([...argv]);
  const { _, $0, ...then } = await parse(resumed.argv);
  const { _: _none, $0: _zero, ...defaults } = await parse([]);
  const options = { ...then, ...given(now, defaults) };
  return { options, words: _.map(String), argv: resumed.argv, resumed };
}

/** Like the command line's own: the words were checked when they were typed. */
function rememberedParser(): Argv {
  return yargs([])
    .parserConfiguration({ 'parse-positional-numbers': false, 'dot-notation': false, 'populate--': false })
    .version(false)
    .help(false)
    .exitProcess(false);
}

/** The options whose value is not the default one. */
function given(now: Options, defaults: Options): Partial<Options> {
  const found: Partial<Options> = { ...now };
  for (const key of keysOf(found)) if (isDeepStrictEqual(found[key], defaults[key])) delete found[key];
  return found;
}

function keysOf<Item extends object>(item: Item): (keyof Item)[] {
  const keys: (keyof Item)[] = [];
  for (const key in item) keys.push(key);
  return keys;
}

function enter({ id, folder }: RunRecord): void {
  if (folder === undefined) return;
  try {
    process.chdir(folder);
  } catch (error) {
    throw new P2cError(`the folder that the run ${id} was begun in cannot be entered: ${messageOf(error)}`, {
      code: 'run.folder',
      hint: `make ${folder} reachable again: relative paths of the run are meant from there`,
      cause: error,
    });
  }
}
