/** Options of `run` and `create`: names and networks. */
import type { Argv } from 'yargs';
import type { Network, NetworkOptions } from '../../runtime/options.ts';

export interface NetworkArguments {
  hostname: string | undefined;
  network: Network;
}

export function withNetwork<Options>(parser: Argv<Options>): Argv<Options & NetworkArguments> {
  return parser
    .option('hostname', { alias: 'h', type: 'string', requiresArg: true, describe: 'host name in the container' })
    .option('network', {
      type: 'string',
      choices: ['none', 'host'] as const satisfies readonly Network[],
      default: 'none' as const,
      describe: "none: a loopback of its own; host: the machine's",
    });
}

export function networkOptions({ hostname, network }: NetworkArguments): NetworkOptions {
  return { hostname, network };
}
