/** What of a container's limits can be held: without root, none, unless the machine gives the user cgroups to write to. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../../errors.ts';
import type { ResourceOptions, ResourceWishes } from '../options.ts';
import { inUserNamespace, isRootless } from '../rootless/user-namespace.ts';
import { cgroupHierarchies } from './hierarchy.ts';

/** The limits by cgroups, and what of a hierarchy holds each. */
const LIMITS = [
  ['memory', '--memory', 'memory'],
  ['cpus', '--cpus', 'cpu'],
  ['pidsLimit', '--pids-limit', 'pids'],
] as const;

/**
 * @param resources what the image asks for, and the user beside it.
 * @param asked what the user asks for: that is held, or refused.
 * @returns what is left, and a sentence for what the image asks for and cannot have.
 * @throws P2cError `cgroup.rootless` (usage).
 */
export function attainableLimits(
  resources: ResourceOptions,
  asked: ResourceWishes,
): { readonly resources: ResourceOptions; readonly lacks: string[] } {
  const out = LIMITS.filter(([key, , controller]) => resources[key] !== undefined && !canLimit(controller));
  const refused = out.filter(([key]) => asked[key] !== undefined).map(([, option]) => option);
  if (refused.length > 0) {
    throw usageError(`${refused.join(', ')}: without root p2c may not write to this machine's cgroups`, {
      code: 'cgroup.rootless',
      hint: 'leave it out, --ulimit is held; or sudo p2c run …',
    });
  }
  const without = Object.fromEntries(out.map(([key]) => [key, undefined]));
  const names = out.map(([, option]) => option.slice(2)).join(', ');
  const lacks = out.length === 0 ? [] : [`no limits of ${names}, as the image has them: cgroups are root's`];
  return { resources: { ...resources, ...without }, lacks };
}

/** Where p2c is root of the machine, the start finds out. */
function canLimit(controller: string): boolean {
  return (
    !inUserNamespace() ||
    cgroupHierarchies().some((each) => each.controllers.includes(controller) && isOpen(each.folder))
  );
}

/**
 * systemd makes groups in the one that its container has: p2c's own, for it can make none.
 * @throws P2cError `cgroup.systemd` (usage).
 */
export function checkInitCgroups(cgroups: 'v1' | 'v2' | undefined): void {
  if (cgroups === undefined || !isRootless()) return;
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'latin1'))?.[1];
  const hierarchy = cgroupHierarchies().find(({ version }) => version === 2);
  if (own !== undefined && hierarchy !== undefined && isOpen(join(hierarchy.folder, own))) return;
  throw usageError('without root systemd has no cgroups that it may write to, and cannot boot', {
    code: 'cgroup.systemd',
    hint: "sudo p2c run …; or run one command, or '--init services' where the image knows its applications",
  });
}

function isOpen(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
