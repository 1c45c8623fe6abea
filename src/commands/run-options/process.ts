/** Options of `run` and `create`: the process. */
import type { Argv } from 'yargs';
import type { ProcessOptions } from '../../runtime/options.ts';
import { environmentFrom } from '../container-process.ts';
import { readEnvironmentFile } from '../environment-file.ts';

export interface ProcessArguments {
  env: string[] | undefined;
  'env-file': string[] | undefined;
  workdir: string | undefined;
  user: string | undefined;
  entrypoint: string | undefined;
  interactive: boolean;
  tty: boolean;
}

export function withProcess<Options>(parser: Argv<Options>): Argv<Options & ProcessArguments> {
  return parser
    .option('env', { alias: 'e', type: 'string', array: true, nargs: 1, describe: 'KEY=VALUE, or KEY of this shell' })
    .option('env-file', { type: 'string', array: true, nargs: 1, describe: 'a file of KEY=VALUE lines' })
    .option('workdir', { alias: 'w', type: 'string', requiresArg: true, describe: 'working folder' })
    .option('user', { alias: 'u', type: 'string', requiresArg: true, describe: 'USER[:GROUP]' })
    .option('entrypoint', {
      type: 'string',
      requiresArg: true,
      describe: "in place of the image's: a word or a JSON array; '' for none",
    })
    .option('interactive', { alias: 'i', type: 'boolean', default: false, describe: 'hand on the standard input' })
    .option('tty', { alias: 't', type: 'boolean', default: false, describe: 'give the container a terminal' });
}

/** @param command the words after the image. */
export function processOptions(given: ProcessArguments, command: readonly string[]): ProcessOptions {
  return {
    command,
    entrypoint: given.entrypoint,
    environment: [...(given['env-file'] ?? []).flatMap(readEnvironmentFile), ...environmentFrom(given.env ?? [])],
    workingFolder: given.workdir,
    user: given.user,
    terminal: given.tty,
    interactive: given.interactive,
  };
}
