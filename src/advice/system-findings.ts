/** What of the server itself stands in a container's way, or is not brought along. */
import { printable } from '../printable.ts';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Finding, Situation } from './verdict.ts';

export function systemFindings({ inspection, facts, machine }: Situation): Finding[] {
  return [
    ...accessFindings(inspection),
    captureFinding(facts.tools.tar),
    initFinding(inspection),
    ...guardFindings(inspection),
    ...idFindings(inspection, machine),
    ...containerFindings(inspection),
    ...licenceFindings(inspection),
  ];
}

function accessFindings({ root }: Inspection): Finding[] {
  if (root) return [];
  const message = 'p2c is not root there: a capture needs root or sudo, and what only root may see is not in this page';
  return [{ id: 'privilege', level: 'blocks', message }];
}

function captureFinding(tar: Situation['facts']['tools']['tar']): Finding {
  const id = 'tar';
  const version = printable(tar.version);
  if (!tar.takesNames) {
    return {
      id,
      level: 'blocks',
      message: `its tar (${version || 'none'}) cannot make a capture: install GNU tar there`,
    };
  }
  if (tar.xattrsInclude) return { id, level: 'works', message: `${version} captures all that the files have` };
  return {
    id,
    level: 'look',
    message: `${version} does not carry extended attributes: file capabilities and ACLs are read beside it where the server has getcap and getfacl`,
  };
}

function initFinding({ init }: Inspection): Finding {
  const id = 'init';
  if ('unknown' in init) return { id, level: 'unknown', message: `its init is not known: ${init.unknown}` };
  const { kind, version } = init.value;
  const name = version === '' ? kind : `${kind} ${version}`;
  if (kind === 'systemd' || kind === 'upstart' || kind === 'sysvinit') {
    return { id, level: 'works', message: `${name} boots in a container` };
  }
  return {
    id,
    level: 'flag',
    message: `${name} is not adapted for containers: its applications are started without it`,
    flag: 'run --init services',
  };
}

function guardFindings({ guards }: Inspection): Finding[] {
  if ('unknown' in guards) return [];
  const { selinux, appArmorProfiles } = guards.value;
  const found: Finding[] = [];
  if (selinux !== 'disabled') {
    found.push({
      id: 'selinux',
      level: 'works',
      message: `SELinux is ${selinux} there: its labels are left out, and it is off in the container`,
    });
  }
  if (appArmorProfiles === null || appArmorProfiles > 0) {
    found.push({
      id: 'apparmor',
      level: 'works',
      message: "AppArmor's profiles belong to the host: they do not confine the programs in the container",
    });
  }
  return found;
}

/** user_namespaces(7): a container without root has just the ids that subuid(5) gives. */
function idFindings({ users }: Inspection, { root, subordinate }: Situation['machine']): Finding[] {
  if ('unknown' in users)
    return [{ id: 'ids', level: 'unknown', message: `its users are not known: ${users.unknown}` }];
  const { largestId, directories } = users.value;
  const range = Math.min(subordinate.uids, subordinate.gids);
  const fits = root || largestId < range;
  const message = fits
    ? `its largest user or group id is ${largestId}`
    : `its largest user or group id is ${largestId}, and without root only ${range} are to be had: add them to /etc/subuid and /etc/subgid, or run as root`;
  const found: Finding[] = [{ id: 'ids', level: fits ? 'works' : 'look', message }];
  if (directories.length > 0) {
    found.push({
      id: 'directory-users',
      level: 'look',
      message: `its users also come from ${directories.join(', ')}: the container must reach that service`,
    });
  }
  return found;
}

function containerFindings({ containers }: Inspection): Finding[] {
  const { engines, running, processes, stores } = valueOr(containers, {
    engines: [],
    running: [],
    processes: 0,
    stores: [],
  });
  if (engines.length === 0 && running.length === 0 && processes === 0) return [];
  const named = running.length > 0 ? `: ${running.slice(0, 5).join(', ')}` : '';
  const kept = stores.length > 0 ? `; ${stores.join(', ')} should be left out` : '';
  const message = `containers or virtual machines run on it (${engines.join(', ') || 'unknown engine'})${named}. Move them on their own, they are images already${kept}`;
  return [{ id: 'containers', level: 'look', message }];
}

function licenceFindings({ licences }: Inspection): Finding[] {
  return valueOr(licences, []).map(({ found, meaning }) => ({
    id: 'licence',
    level: 'look',
    message: `${found}: ${meaning}`,
  }));
}
