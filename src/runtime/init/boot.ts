/** What becomes PID 1 of a container: the image's own init, a script that starts its applications, or a command. */
import { P2cError, usageError } from '../../errors.ts';
import type { Image } from '../../oci/image.ts';
import { servicesOf } from '../../oci/services.ts';
import { SYSTEM_LABELS } from '../../oci/system-labels.ts';
import { findProgram } from '../host-program.ts';
import type { ProcessOptions } from '../options.ts';
import { servicesScript } from './services-script.ts';

export const INIT_WISHES = ['auto', 'system', 'services', 'none'] as const;
export type InitWish = (typeof INIT_WISHES)[number];

interface SystemBoot {
  readonly mode: 'system';
  readonly init: string;
  /** The only ones that its systemd knows; undefined for an init that needs none. */
  readonly cgroups: 'v1' | 'v2' | undefined;
  readonly why: string;
}

export type Boot =
  | SystemBoot
  | { readonly mode: 'services'; readonly script: string; readonly why: string }
  | { readonly mode: 'none'; readonly reaper: string | undefined; readonly why: string };

type Asked = Pick<ProcessOptions, 'command' | 'entrypoint' | 'user'>;

/** @throws P2cError `init.*` (usage) for what the image cannot do, and for a command beside an init. */
export function decideBoot(wish: InitWish, image: Image, asked: Asked): Boot {
  const labels = image.config.config?.Labels ?? {};
  const init = labels[SYSTEM_LABELS.init];
  if (wish === 'none') return { mode: 'none', reaper: reaper(), why: '--init none' };
  if (wish === 'system') {
    refuseCommand(wish, asked);
    return systemBoot(labels, init === undefined || init === 'none' ? 'unknown' : init, '--init system');
  }
  const services = servicesOf(image);
  if (wish === 'services') {
    refuseCommand(wish, asked);
    if (services.length === 0) throw noServices(image);
    return { mode: 'services', script: servicesScript(services), why: '--init services' };
  }
  if (asked.command.length > 0 || asked.entrypoint !== undefined) {
    return { mode: 'none', reaper: undefined, why: 'a command was given' };
  }
  if (init !== undefined && init !== 'none') {
    return systemBoot(labels, init, `the image's label ${SYSTEM_LABELS.init} says ${init}`);
  }
  if (services.length > 0) {
    const why = `the image has no init that p2c knows, and the label ${SYSTEM_LABELS.services}`;
    return { mode: 'services', script: servicesScript(services), why };
  }
  return { mode: 'none', reaper: undefined, why: 'the image has no init that p2c knows' };
}

function systemBoot(labels: Readonly<Record<string, string>>, init: string, why: string): SystemBoot {
  const cgroups = init !== 'systemd' ? undefined : labels[SYSTEM_LABELS.cgroups] === 'v1' ? 'v1' : 'v2';
  return { mode: 'system', init, cgroups, why };
}

function refuseCommand(wish: InitWish, { command, entrypoint, user }: Asked): void {
  const extra = command.length > 0 ? 'a command' : entrypoint !== undefined ? '--entrypoint' : undefined;
  const beside = extra ?? (user === undefined ? undefined : '--user');
  if (beside === undefined) return;
  throw usageError(`--init ${wish} and ${beside} do not go together`, {
    code: 'init.command',
    hint: `what runs is the image's; 'p2c exec' runs commands beside it`,
  });
}

function noServices(image: Image): P2cError {
  return usageError(`${image.reference ?? image.digest} does not say how its applications are started`, {
    code: 'init.services',
    hint: "'p2c migrate --profile NAME' writes that into an image; --init system boots the image's own init",
  });
}

/** A static init that reaps and passes signals on, as `podman run --init` has it; undefined where this machine has none. */
function reaper(): string | undefined {
  try {
    return findProgram('catatonit');
  } catch (error) {
    if (error instanceof P2cError) return undefined;
    throw error;
  }
}
