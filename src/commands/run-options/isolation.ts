/** Options of `run` and `create`: what keeps the container apart from the machine, and what of the machine it gets. */
import type { Argv } from 'yargs';
import { parseDevice } from '../../runtime/device.ts';
import type { IsolationOptions } from '../../runtime/options.ts';
import { parsePersonality } from '../../runtime/personality.ts';

export interface IsolationArguments {
  privileged: boolean;
  'cap-add': string[] | undefined;
  'cap-drop': string[] | undefined;
  device: string[] | undefined;
  'read-only': boolean;
  personality: string[] | undefined;
}

const MANY = { type: 'string', array: true, nargs: 1 } as const;

export function withIsolation<Options>(parser: Argv<Options>): Argv<Options & IsolationArguments> {
  return parser
    .option('privileged', { type: 'boolean', default: false, describe: 'drop no capability and mask nothing' })
    .option('cap-add', { ...MANY, describe: 'a capability more, or all' })
    .option('cap-drop', { ...MANY, describe: 'a capability less, or all' })
    .option('device', { ...MANY, describe: 'SRC[:DST][:rwm], a device of this machine' })
    .option('read-only', {
      type: 'boolean',
      default: false,
      describe: 'write to /run, /tmp, /var/tmp and volumes only',
    })
    .option('personality', { ...MANY, describe: 'uname26: a kernel named 2.6; ia32: a machine named i686' });
}

/** @throws P2cError (usage). */
export function isolationOptions(given: IsolationArguments): IsolationOptions {
  const split = (words: string[] | undefined): string[] => (words ?? []).flatMap((word) => word.split(','));
  return {
    privileged: given.privileged,
    capAdd: split(given['cap-add']),
    capDrop: split(given['cap-drop']),
    devices: (given.device ?? []).map(parseDevice),
    readOnly: given['read-only'],
    personality: [...new Set(split(given.personality).map(parsePersonality))],
  };
}
