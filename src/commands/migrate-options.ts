/** The options of `p2c migrate`. */
import type { Argv } from 'yargs';
import { type BootArguments, withBootOptions } from './boot-options.ts';
import { type CaptureOptions, withCaptureOptions } from './capture-options.ts';
import { type ConnectionOptions, withConnectionOptions } from './connection-options.ts';
import { type FleetOptions, withFleetOptions } from './fleet-options.ts';

interface MigrateOptions {
  tag: string | undefined;
  change: string[] | undefined;
  message: string | undefined;
  stop: boolean;
  hot: boolean;
  lease: string;
  'leave-stopped': boolean;
  settle: number;
  'part-size': string | undefined;
  resume: string | undefined;
  streams: number;
  'skip-unreadable': boolean;
  adapt: boolean;
  without: string[] | undefined;
  reserve: string | undefined;
  estimate: boolean;
  'dry-run': boolean;
  json: boolean;
}

export type Options = MigrateOptions & BootArguments & CaptureOptions & ConnectionOptions & FleetOptions;

export function migrateOptions(parser: Argv): Argv<Options> {
  return withBootOptions(withMigrateOptions(withFleetOptions(withConnectionOptions(withCaptureOptions(parser)))));
}

function withMigrateOptions<Declared>(parser: Argv<Declared>): Argv<Declared & MigrateOptions> {
  return parser
    .option('tag', { alias: 't', type: 'string', requiresArg: true, describe: 'name of the image: NAME[:TAG]' })
    .option('change', {
      alias: 'c',
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: "instruction for the image's config, as podman import -c: 'USER root' (repeatable)",
    })
    .option('message', { alias: 'm', type: 'string', requiresArg: true, describe: "comment for the image's history" })
    .option('stop', {
      type: 'boolean',
      default: true,
      describe: "stop the profiles' applications while streaming (--no-stop: do not)",
    })
    .option('hot', {
      type: 'boolean',
      default: false,
      describe: 'stream while the applications run; stop them only to fetch what changed meanwhile',
    })
    .option('lease', {
      type: 'string',
      default: '2m',
      requiresArg: true,
      describe: 'how long after p2c is gone the source starts its applications by itself',
    })
    .option('leave-stopped', {
      type: 'boolean',
      default: false,
      describe: 'for the final cutover: once the image is there, what was stopped on the source stays stopped',
    })
    .option('settle', {
      type: 'number',
      default: 2,
      requiresArg: true,
      describe: 'rounds in which what changed while it was read is fetched again',
    })
    .option('skip-unreadable', {
      type: 'boolean',
      default: false,
      describe: 'make the image though something other than a log could not be read (exit code 3)',
    })
    .option('adapt', {
      type: 'boolean',
      default: true,
      describe: 'add the layer by which the system boots in a container (--no-adapt: do not)',
    })
    .option('without', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'leave out a recipe of that layer, as ssh-host-keys (repeatable)',
    })
    .option('streams', {
      type: 'number',
      default: 2,
      requiresArg: true,
      describe: 'parts of the capture streamed at the same time',
    })
    .option('part-size', {
      type: 'string',
      requiresArg: true,
      describe: 'size after which a layer ends, such as 256m; larger where there would be more than 64 [1g]',
    })
    .option('resume', {
      type: 'string',
      describe: 'go on with a run that was killed, interrupted or failed: the newest, or the one named',
    })
    .option('reserve', {
      type: 'string',
      requiresArg: true,
      describe: 'space that is left free on the filesystem of the store [1g for an inventory, else none]',
    })
    .option('estimate', {
      type: 'boolean',
      default: true,
      describe: 'of an inventory, first ask all hosts how much they hold, and say whether the store has room',
    })
    .option('dry-run', {
      type: 'boolean',
      default: false,
      describe: 'change nothing: print what would be captured and run (one target; audit looks at an inventory)',
    })
    .option('json', { type: 'boolean', default: false, describe: 'print one JSON object' });
}
