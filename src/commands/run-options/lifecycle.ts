/** Options of `run` and `create`: the container's name, its engine, and what becomes of it. */
import type { Argv } from 'yargs';
import type { EngineWish, LifecycleOptions } from '../../runtime/options.ts';

export interface LifecycleArguments {
  rm: boolean;
  name: string | undefined;
  engine: EngineWish;
}

export function withLifecycle<Options>(parser: Argv<Options>): Argv<Options & LifecycleArguments> {
  return parser
    .option('rm', { type: 'boolean', default: false, describe: 'remove the container when it has ended' })
    .option('name', { type: 'string', requiresArg: true, describe: 'name of the container' })
    .option('engine', {
      type: 'string',
      choices: ['auto', 'namespaces', 'runc', 'crun'] as const satisfies readonly EngineWish[],
      default: 'auto' as const,
      describe: 'auto: runc or crun if one works, else namespaces, which needs util-linux only',
    });
}

export function lifecycleOptions({ rm, name, engine }: LifecycleArguments): LifecycleOptions {
  return { autoRemove: rm, name, engine };
}
