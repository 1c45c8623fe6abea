/** What `p2c doctor` tells: what this machine can run, what is missing, and how to get it. */
import type { Ability } from '../runtime/machine/ability.ts';
import type { Machine } from '../runtime/machine/machine.ts';
import { ENOUGH_IDS } from '../runtime/rootless/lacking.ts';
import type { Stray, StrayKind } from '../runtime/strays/stray.ts';
import { formatBytes } from './units.ts';

/** `missing` stops containers from running at all; `lacking` costs what the detail says. */
type State = 'ok' | 'lacking' | 'missing' | 'unknown';

interface DoctorCheck {
  /** Stable: `vsyscall`, `cgroups`, `program unshare`… */
  readonly id: string;
  readonly state: State;
  readonly detail: string;
  /** What to do about it; null where nothing is to be done. */
  readonly remedy: string | null;
}

export interface DoctorReport {
  /** False where no container can be run on this machine, by either engine. */
  readonly canRun: boolean;
  readonly engines: readonly string[];
  readonly checks: readonly DoctorCheck[];
  readonly machine: Machine;
  /** What crashes left of the store's containers; `p2c doctor --clean` removes it. */
  readonly strays: readonly StrayRecord[];
}

interface StrayRecord {
  readonly kind: StrayKind;
  readonly what: string;
  readonly of: string;
}

export function strayRecord({ kind, what, of }: Stray): StrayRecord {
  return { kind, what, of };
}

export function doctorReport(machine: Machine, strays: readonly Stray[] = []): DoctorReport {
  const checks = [
    kernelCheck(machine),
    vsyscallCheck(machine),
    ...(machine.architecture === 'x86_64' ? [abilityCheck('32-bit programs', machine.ia32, IA32_REMEDY)] : []),
    abilityCheck('kernel named 2.6', machine.uname26, null),
    cgroupCheck(machine),
    { ...abilityCheck('namespaces', machine.namespaces, NAMESPACE_REMEDY), ...essential(machine.namespaces) },
    { ...abilityCheck('overlayfs', machine.overlay, OVERLAY_REMEDY), ...essential(machine.overlay) },
    ...rootlessChecks(machine),
    ...(machine.root ? [] : [withoutRootCheck(machine)]),
    ...engineChecks(machine),
    cniCheck(machine),
    ...programChecks(machine),
    storeCheck(machine),
  ];
  const engines = workingEngines(machine);
  return { canRun: engines.length > 0, engines, checks, machine, strays: strays.map(strayRecord) };
}

const IA32_REMEDY = "boot with 'ia32_emulation=on', or a kernel with CONFIG_IA32_EMULATION";
const NAMESPACE_REMEDY = 'run p2c as root, on a machine or in a container that may make namespaces';
const OVERLAY_REMEDY = "'modprobe overlay'; inside a container, give it the capability SYS_ADMIN";

/** Engines by which a container was run just now; what else is needed lies in the programs that are required. */
function workingEngines({ root, withoutRoot, overlay, programs, engines }: Machine): string[] {
  const lacking = programs.some(({ required, path }) => required && path === null);
  if ((!root && withoutRoot.length > 0) || overlay.able !== true || lacking) return [];
  return engines.filter(({ works }) => works.able === true).map(({ name }) => name);
}

function kernelCheck({ kernel, architecture, root }: Machine): DoctorCheck {
  const who = root ? 'as root' : 'not as root';
  return { id: 'kernel', state: 'ok', detail: `${kernel}, ${architecture}, ${who}`, remedy: null };
}

/** All that a user's containers need and this machine has not, in one place. */
function withoutRootCheck({ withoutRoot }: Machine): DoctorCheck {
  const id = 'containers without root';
  if (withoutRoot.length === 0) {
    const detail = "yes: on no network but this machine's and none, and without limits by cgroups";
    return { id, state: 'ok', detail, remedy: null };
  }
  return {
    id,
    state: 'missing',
    detail: withoutRoot.map(({ what }) => what).join('; '),
    remedy: `${[...new Set(withoutRoot.map(({ remedy }) => remedy))].join('; ')}. Or 'sudo p2c run …'`,
  };
}

function vsyscallCheck({ vsyscall }: Machine): DoctorCheck {
  if (vsyscall !== 'none') return { id: 'vsyscall', state: 'ok', detail: vsyscall, remedy: null };
  return {
    id: 'vsyscall',
    state: 'lacking',
    detail: 'none: 64-bit systems with a glibc before 2.14 (CentOS 5 and 6, SLES 11, Debian 6) end with code 139',
    remedy: "boot with 'vsyscall=emulate'",
  };
}

function cgroupCheck({ cgroups }: Machine): DoctorCheck {
  const { mode, controllers, systemdHierarchy } = cgroups;
  const id = 'cgroups';
  if (mode === 'none') {
    return { id, state: 'lacking', detail: 'not mounted: no limits', remedy: "'mount -t cgroup2 none /sys/fs/cgroup'" };
  }
  const detail = `${mode}: ${controllers.join(' ') || 'no controllers'}`;
  const wanted = ['memory', 'pids', 'cpu'].filter((name) => !controllers.includes(name));
  if (wanted.length > 0) {
    return { id, state: 'lacking', detail: `${detail}; no limits of ${wanted.join(', ')}`, remedy: null };
  }
  const old = systemdHierarchy ? '' : "; systemd before 230 needs a v1 hierarchy 'name=systemd'";
  return { id, state: 'ok', detail: detail + old, remedy: null };
}

function rootlessChecks({ userNamespaces, subordinate, root }: Machine): DoctorCheck[] {
  const check = abilityCheck(
    'user namespaces',
    userNamespaces,
    "'sysctl user.max_user_namespaces=15000' (on old Debian also kernel.unprivileged_userns_clone=1)",
  );
  const few = Math.min(subordinate.uids, subordinate.gids);
  const detail = `${subordinate.uids} user ids, ${subordinate.gids} group ids`;
  const enough = few >= ENOUGH_IDS || root;
  return [
    check,
    {
      id: 'subordinate ids',
      state: enough ? 'ok' : 'lacking',
      detail: root ? `${detail} (root needs none)` : detail,
      remedy: enough ? null : "'usermod --add-subuids 100000-165535 --add-subgids 100000-165535 USER'",
    },
  ];
}

/** Of the OCI runtimes one that works is enough; they add a seccomp filter that others have written. */
function engineChecks({ engines }: Machine): DoctorCheck[] {
  const runtimes = engines.filter(({ name }) => name !== 'namespaces');
  const one = runtimes.some(({ works }) => works.able === true);
  return engines.map(({ name, version, works }) => {
    const id = `engine ${name}`;
    const what = version === null ? '' : `${version}: `;
    if (works.able === true) return { id, state: 'ok', detail: `${what}works`, remedy: null };
    const remedy = one || version !== null || name === 'namespaces' ? null : install(name);
    return { id, state: works.able === 'unknown' ? 'unknown' : 'lacking', detail: what + works.reason, remedy };
  });
}

function cniCheck({ cni }: Machine): DoctorCheck {
  const id = 'CNI plugins';
  if (cni.missing.length === 0) return { id, state: 'ok', detail: `in ${cni.folder ?? '-'}`, remedy: null };
  const detail = cni.folder === null ? 'none: containers have no network of their own' : `no ${cni.missing.join(', ')}`;
  return { id, state: 'lacking', detail, remedy: install('containernetworking-plugins') };
}

function programChecks({ programs }: Machine): DoctorCheck[] {
  return programs.map(({ name, path, purpose, package: packageName, required }) => ({
    id: `program ${name}`,
    state: path !== null ? 'ok' : required ? 'missing' : 'lacking',
    detail: path ?? `not installed; for ${purpose}`,
    remedy: path === null ? install(packageName) : null,
  }));
}

function storeCheck({ store }: Machine): DoctorCheck {
  const detail = `${formatBytes(store.freeBytes)} free at ${store.folder}`;
  return { id: 'store', state: 'ok', detail, remedy: null };
}

function abilityCheck(id: string, ability: Ability, remedy: string | null): DoctorCheck {
  if (ability.able === true) return { id, state: 'ok', detail: 'yes', remedy: null };
  return { id, state: ability.able === 'unknown' ? 'unknown' : 'lacking', detail: ability.reason, remedy };
}

function essential(ability: Ability): { state?: State } {
  return ability.able === false ? { state: 'missing' } : {};
}

/** By the name that Debian gives the package. */
function install(packageName: string): string {
  return `install ${packageName} ('apt-get install ${packageName}' on Debian)`;
}
