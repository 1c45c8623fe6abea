/** What a user asked for, with what the container's PID 1 needs. */

import type { Image } from '../../oci/image.ts';
import { commandOf } from '../command-line.ts';
import type { RunOptions } from '../options.ts';
import { type LayerRoot, placeInRoot, resolveInRoot } from '../root-path.ts';
import type { Tmpfs } from '../tmpfs.ts';
import type { Boot } from './boot.ts';
import { isServicesScript } from './services-script.ts';

/** Where a reaper lies in the container: in a filesystem that is not the image's. */
const REAPER = '/dev/init';
/** As systemd has them (file-hierarchy(7)). */
const RUN: readonly Tmpfs[] = [
  { destination: '/run', options: ['nosuid', 'nodev', 'mode=755'] },
  { destination: '/run/lock', options: ['nosuid', 'nodev', 'noexec', 'mode=1777', 'size=5m'] },
];

/** @param layers topmost first. */
export function bootedOptions(boot: Boot, image: Image, layers: readonly LayerRoot[], options: RunOptions): RunOptions {
  if (boot.mode === 'system') return systemOptions(boot.cgroups, layers, options);
  if (boot.mode === 'services') {
    return { ...options, entrypoint: '', command: ['/bin/sh', '-c', boot.script], user: '0' };
  }
  if (boot.reaper === undefined) return options;
  const command = commandOf(image, options.entrypoint, options.command);
  const volume = { source: boot.reaper, sourceIsDirectory: false, destination: REAPER, readOnly: true };
  return { ...options, entrypoint: '', command: [REAPER, '--', ...command], volumes: [...options.volumes, volume] };
}

/** A container's command as its user thinks of it: without the reaper above it, and two words for a script of p2c's own. */
export function shownCommand(args: readonly string[]): readonly string[] {
  const [program, word, script] = args;
  if (program === REAPER && word === '--') return args.slice(2);
  const isServices = program === '/bin/sh' && word === '-c' && script !== undefined && isServicesScript(script);
  return isServices ? ['p2c', 'services'] : args;
}

/** A console on a terminal; `/run` empty at each boot, where the system has it; cgroups of its own for systemd. */
function systemOptions(
  cgroups: RunOptions['writableCgroups'],
  layers: readonly LayerRoot[],
  options: RunOptions,
): RunOptions {
  // `/var/run` leads there.
  const place = ({ destination }: { readonly destination: string }): string | undefined =>
    placeInRoot(layers, destination);
  const taken = [...options.volumes, ...options.tmpfs].map(place);
  const hasRun = resolveInRoot(layers, '/run').kind === 'directory';
  const run = hasRun ? RUN.filter((each) => !taken.includes(place(each))) : [];
  return {
    ...options,
    entrypoint: '',
    command: ['/sbin/init'],
    user: '0',
    workingFolder: '/',
    terminal: true,
    tmpfs: [...options.tmpfs, ...run],
    writableCgroups: cgroups,
  };
}
