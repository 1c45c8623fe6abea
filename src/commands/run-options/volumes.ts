/** Options of `run` and `create`: what is mounted in a container. */
import type { Argv } from 'yargs';
import type { MountOptions } from '../../runtime/options.ts';
import { parseTmpfs } from '../../runtime/tmpfs.ts';
import { parseMountOption, parseVolumeOption } from '../../runtime/volumes/wish.ts';

export interface VolumeArguments {
  volume: string[] | undefined;
  mount: string[] | undefined;
  tmpfs: string[] | undefined;
}

const MANY = { type: 'string', array: true, nargs: 1 } as const;

export function withVolumes<Options>(parser: Argv<Options>): Argv<Options & VolumeArguments> {
  return parser
    .option('volume', {
      alias: 'v',
      ...MANY,
      describe: '[SRC:]DST[:ro]; a SRC without a slash is a volume of the store',
    })
    .option('mount', { ...MANY, describe: 'type=bind|volume|tmpfs,source=SRC,destination=DST[,ro]' })
    .option('tmpfs', { ...MANY, describe: 'DST[:OPTIONS], a filesystem in memory' });
}

/** @throws P2cError (usage). */
export function volumeOptions(given: VolumeArguments): MountOptions {
  return {
    mounts: [
      ...(given.volume ?? []).map(parseVolumeOption),
      ...(given.mount ?? []).map(parseMountOption),
      ...(given.tmpfs ?? []).map((text) => ({ tmpfs: parseTmpfs(text) })),
    ],
  };
}
