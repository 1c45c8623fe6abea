/** What `p2c migrate` is called with when a run goes on: the words of its beginning, and above them what is given now. */
import yargs, { type Argv } from 'yargs';
import { messageOf, P2cError, usageError } from '../errors.ts';
import { storeRoot } from '../oci/root.ts';
import type { RunRecord } from '../report/run-record.ts';
import type { Typed } from './command.ts';
import { withAbsolutePaths } from './given-paths.ts';
import { migrateOptions, type Options } from './migrate-options.ts';
import { runToResume } from './run-plan.ts';
import { typedOptions } from './typed-options.ts';

/** One call of `p2c migrate`. */
export interface Call {
  readonly options: Options;
  readonly words: readonly string[];
  /** When the run was begun. */
  readonly argv: readonly string[];
  /** Names of all options that were typed, then or now. */
  readonly typed: ReadonlySet<string>;
  /** Whether `--limit` was typed with `--resume`: the run goes on with some of its hosts. */
  readonly limited?: boolean;
  /** The run that goes on. */
  readonly resumed?: RunRecord;
}

/**
 * Also goes to the folder that the run was begun in: relative paths are meant from there, but for those that are given now.
 * @param typed now.
 * @throws P2cError `run.unknown`, `run.done`, `run.folder`.
 */
export async function resumedCall(now: Options, words: readonly string[], typed: Typed['names']): Promise<Call> {
  if (words.length > 0) {
    throw usageError('--resume goes on with the hosts of the run: no target is named with it', {
      code: 'usage',
      hint: "'--resume RUN' names a run; 'p2c runs ls' lists them",
    });
  }
  const root = storeRoot();
  const resumed = await runToResume(root, 'migrate', now.resume ?? '');
  const given = withAbsolutePaths(onlyTyped(now, typed));
  enter(resumed, root);
  const parser = migrateOptions(rememberedParser());
  const { _, $0, ...then } = await parser.parseAsync([...resumed.argv]);
  const all = new Set([...typedOptions(parser.parsed), ...typed]);
  const limited = typed.has('limit');
  return { options: { ...then, ...given }, words: _.map(String), argv: resumed.argv, typed: all, limited, resumed };
}

/** Like the command line's own: the words were checked when they were typed. */
function rememberedParser(): Argv {
  return yargs([])
    .parserConfiguration({ 'parse-positional-numbers': false, 'dot-notation': false, 'populate--': false })
    .version(false)
    .help(false)
    .exitProcess(false);
}

/** A default value that was not typed replaces nothing. */
function onlyTyped(now: Options, typed: Typed['names']): Partial<Options> {
  const found: Partial<Options> = { ...now };
  for (const key of keysOf(found)) if (!typed.has(key)) delete found[key];
  return found;
}

function keysOf<Item extends object>(item: Item): (keyof Item)[] {
  const keys: (keyof Item)[] = [];
  for (const key in item) keys.push(key);
  return keys;
}

/** @param root of the store, which is meant from where p2c was called. */
function enter({ id, folder }: RunRecord, root: string): void {
  if (folder === undefined) return;
  try {
    process.chdir(folder);
    process.env['P2C_ROOT'] = root;
  } catch (error) {
    throw new P2cError(`the folder that the run ${id} was begun in cannot be entered: ${messageOf(error)}`, {
      code: 'run.folder',
      hint: `make ${folder} reachable again: relative paths of the run are meant from there`,
      cause: error,
    });
  }
}
