/** What this machine lacks for containers without root: all of it at once, each with its remedy, before anything is made. */
import { readFileSync } from 'node:fs';
import { release, userInfo } from 'node:os';
import { type P2cError, usageError } from '../../errors.ts';
import type { Ability } from '../machine/ability.ts';
import { probeNamespaces, probeOverlay, probeUserNamespaces } from '../machine/kernel-abilities.ts';
import { pathOf } from '../machine/programs.ts';
import { countIds, type IdRange } from '../machine/subordinate-ids.ts';
import { type IdMap, readIdMap } from './id-map.ts';

export interface Lacking {
  /** A sentence's part: `newuidmap is not installed`. */
  readonly what: string;
  readonly remedy: string;
}

/** As many as the ids that images use: `nobody` is 65534. */
export const ENOUGH_IDS = 65_536;

/** Programs and their packages on Debian; the first two are allowed what a user is not, and check it against /etc/subuid. */
const PROGRAMS = [
  ['newuidmap', 'uidmap'],
  ['newgidmap', 'uidmap'],
  ['unshare', 'util-linux'],
  ['nsenter', 'util-linux'],
  ['setpriv', 'util-linux'],
  ['hostname', 'hostname'],
] as const;

/** Settings that keep users from making namespaces, the value that does, and the remedy. */
const SETTINGS = [
  ['/proc/sys/user/max_user_namespaces', '0', "'sysctl user.max_user_namespaces=15000'"],
  ['/proc/sys/kernel/unprivileged_userns_clone', '0', "'sysctl kernel.unprivileged_userns_clone=1'"],
  [
    '/proc/sys/kernel/apparmor_restrict_unprivileged_userns',
    '1',
    "'sysctl kernel.apparmor_restrict_unprivileged_userns=0', or a profile of AppArmor that gives p2c 'userns'",
  ],
] as const;

/** What files tell: no process is started. */
export function lackingAtSight(map: IdMap = readIdMap()): Lacking[] {
  return [...lackingPrograms(), ...lackingIds(map), ...lackingPrivileges()];
}

/** Everything, the kernel tried too. */
export async function lackingHere(): Promise<Lacking[]> {
  return [...lackingAtSight(), ...(await lackingAbilities())];
}

/** @throws P2cError `rootless.lacking` (usage) that names all. */
export function refuseLacking(lacking: readonly Lacking[]): void {
  if (lacking.length > 0) throw lackingError(lacking);
}

function lackingError(lacking: readonly Lacking[]): P2cError {
  const remedies = [...new Set(lacking.map(({ remedy }) => remedy))];
  return usageError(`without root this machine runs no containers: ${lacking.map(({ what }) => what).join('; ')}`, {
    code: 'rootless.lacking',
    hint: `as root: ${remedies.join('; ')}. Or run the container as root: sudo p2c …`,
  });
}

function lackingPrograms(): Lacking[] {
  const missing = PROGRAMS.filter(([name]) => pathOf(name) === null);
  return missing.map(([name, packageName]) => ({
    what: `${name} is not installed`,
    remedy: `install ${packageName} ('apt-get install ${packageName}' on Debian)`,
  }));
}

function lackingIds({ uids, gids }: IdMap): Lacking[] {
  const { username } = userInfo();
  const check = (file: string, kind: string, option: string, ranges: readonly IdRange[]): Lacking[] => {
    const count = countIds(ranges.slice(1));
    if (count >= ENOUGH_IDS) return [];
    const remedy = `'usermod ${option} 100000-165535 ${username}' (any ${ENOUGH_IDS} ids that nobody has)`;
    return [{ what: `${file} gives ${username} ${count} ${kind} ids, and images need ${ENOUGH_IDS}`, remedy }];
  };
  return [
    ...check('/etc/subuid', 'user', '--add-subuids', uids),
    ...check('/etc/subgid', 'group', '--add-subgids', gids),
  ];
}

/** newuidmap is set-user-ID: no_new_privs(2) takes that from it. */
function lackingPrivileges(): Lacking[] {
  const none = /^NoNewPrivs:\s*1$/m.test(textOf('/proc/self/status'));
  const remedy = 'start p2c without it (NoNewPrivileges= of its systemd unit, security options of its container)';
  return none ? [{ what: 'p2c runs with no_new_privs, and newuidmap can then do nothing', remedy }] : [];
}

async function lackingAbilities(): Promise<Lacking[]> {
  const users = await probeUserNamespaces();
  if (users.able !== true) return [noUserNamespaces(users)];
  const [namespaces, overlay] = await Promise.all([probeNamespaces(false), probeOverlay(false)]);
  const found: Lacking[] = [];
  if (namespaces.able !== true) {
    found.push({
      what: `namespaces cannot be made in a user namespace (${namespaces.reason})`,
      remedy: "see the settings below 'sysctl user'",
    });
  }
  if (overlay.able !== true) {
    found.push({
      what: `overlayfs cannot be mounted in a user namespace (kernel ${release()}: ${overlay.reason})`,
      remedy: "'modprobe overlay', or a kernel from 5.11 on",
    });
  }
  return found;
}

function noUserNamespaces(ability: Ability): Lacking {
  const at = SETTINGS.find(([file, value]) => textOf(file).trim() === value);
  if (at !== undefined) {
    const name = at[0].replace('/proc/sys/', '').replaceAll('/', '.');
    return { what: `users may make no user namespaces (${name} is ${at[1]})`, remedy: at[2] };
  }
  const reason = ability.able === true ? '' : ability.reason;
  return {
    what: `no user namespace can be made (${reason})`,
    remedy: 'a kernel with CONFIG_USER_NS; in a container, one that may make them',
  };
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
