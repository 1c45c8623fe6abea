/** Options of `run` and `create`: what is mounted in a container. */
import type { Argv } from 'yargs';
import type { VolumeOptions } from '../../runtime/options.ts';
import { parseTmpfs } from '../../runtime/tmpfs.ts';
import { parseVolume } from '../../runtime/volume.ts';

export interface VolumeArguments {
  volume: string[] | undefined;
  tmpfs: string[] | undefined;
}

export function withVolumes<Options>(parser: Argv<Options>): Argv<Options & VolumeArguments> {
  return parser
    .option('volume', { alias: 'v', type: 'string', array: true, nargs: 1, describe: 'SRC:DST[:ro]' })
    .option('tmpfs', { type: 'string', array: true, nargs: 1, describe: 'DST[:OPTIONS], a filesystem in memory' });
}

/** @throws P2cError (usage). */
export function volumeOptions(given: VolumeArguments): VolumeOptions {
  return { volumes: (given.volume ?? []).map(parseVolume), tmpfs: (given.tmpfs ?? []).map(parseTmpfs) };
}
