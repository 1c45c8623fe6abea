/** Options of `run` and `create`: what becomes the container's PID 1. */
import type { Argv } from 'yargs';
import { INIT_WISHES, type InitWish } from '../../runtime/init/boot.ts';
import type { InitOptions } from '../../runtime/options.ts';

export interface InitArguments {
  init: InitWish;
}

export function withInit<Options>(parser: Argv<Options>): Argv<Options & InitArguments> {
  return parser.option('init', {
    type: 'string',
    choices: INIT_WISHES,
    default: 'auto' as const,
    describe:
      "system: the image's own init; services: its applications, started by a script; none: the command, under catatonit; auto: by the image's labels",
  });
}

export function initOptions({ init }: InitArguments): InitOptions {
  return { init };
}
