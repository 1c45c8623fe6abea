/** What this machine's processor and kernel say to the server's programs. */
import type { Machine } from '../runtime/machine/machine.ts';
import { valueOr } from '../source/inspection/fact.ts';
import type { Inspection } from '../source/inspection/inspection.ts';
import type { Finding, Situation } from './verdict.ts';
import { compareVersions } from './version.ts';

export function hostFindings({ inspection, machine }: Situation): Finding[] {
  return [
    processorFinding(inspection, machine),
    ...vsyscallFindings(inspection, machine),
    ...systemdFindings(inspection, machine),
    ...kernelNameFindings(inspection, machine),
    runnerFinding(machine),
  ];
}

const X86 = /^(?:x86_64|i[3-6]86)$/;

function processorFinding(inspection: Inspection, machine: Machine): Finding {
  const id = 'architecture';
  const bits = valueOr(inspection.userlandBits, undefined);
  const is32 = bits === 32 || (bits === undefined && /^i[3-6]86$/.test(inspection.machine));
  if (X86.test(inspection.machine) && machine.architecture === 'x86_64') {
    if (!is32) return { id, level: 'works', message: `${inspection.machine} runs on this machine` };
    const on = inspection.machine === 'x86_64' ? ' on a 64-bit kernel' : '';
    if (machine.ia32.able === true) {
      return {
        id,
        level: 'works',
        message: `32-bit programs${on}: this machine runs them; those that ask for the machine's name run with 'p2c run --personality ia32'`,
      };
    }
    const level = machine.ia32.able === 'unknown' ? 'unknown' : 'blocks';
    const message = `32-bit programs${on}: ${machine.ia32.reason}; boot with ia32_emulation=on or a kernel that has CONFIG_IA32_EMULATION`;
    return { id, level, message };
  }
  if (inspection.machine === machine.architecture) {
    return { id, level: 'works', message: `${inspection.machine} runs on this machine` };
  }
  const message = `its programs are for ${inspection.machine}, and this machine is ${machine.architecture}: run the image on a machine of its kind`;
  return { id, level: 'blocks', message };
}

/** glibc used the vsyscall page until 2.14 (release notes of 2.14; kernel-parameters.txt, `vsyscall=`). */
function vsyscallFindings({ libc, userlandBits, machine: of }: Inspection, { vsyscall }: Machine): Finding[] {
  const id = 'vsyscall';
  if (of !== 'x86_64' || valueOr(userlandBits, 64) === 32 || vsyscall === 'not needed') return [];
  if ('unknown' in libc) {
    return vsyscall === 'none'
      ? [
          {
            id,
            level: 'unknown',
            message: `this machine has no vsyscall page, and whether the server needs one is not known: ${libc.unknown}`,
          },
        ]
      : [];
  }
  const { kind, version } = libc.value;
  if (kind !== 'glibc') return [];
  if (version === '')
    return [{ id, level: vsyscall === 'none' ? 'unknown' : 'works', message: 'the version of its glibc is not known' }];
  if (compareVersions(version, '2.14') >= 0) {
    return [{ id, level: 'works', message: `glibc ${version} does not need the vsyscall page` }];
  }
  if (vsyscall !== 'none') {
    return [
      {
        id,
        level: 'works',
        message: `glibc ${version} needs the vsyscall page, and this machine has it (${vsyscall})`,
      },
    ];
  }
  const message = `glibc ${version} needs the vsyscall page, and this machine has none: every program would end with code 139. Boot this machine with vsyscall=emulate`;
  return [{ id, level: 'blocks', message }];
}

/** systemd knows the unified hierarchy since 230 (its NEWS file). */
function systemdFindings({ init }: Inspection, { cgroups }: Machine): Finding[] {
  const id = 'systemd';
  if ('unknown' in init || init.value.kind !== 'systemd') return [];
  const { version } = init.value;
  if (version === '') return [{ id, level: 'unknown', message: 'the version of its systemd is not known' }];
  if (compareVersions(version, '230') >= 0) {
    return [{ id, level: 'works', message: `systemd ${version} runs on cgroups ${cgroups.mode}` }];
  }
  if (cgroups.systemdHierarchy || cgroups.mode === 'v1' || cgroups.mode === 'hybrid') {
    return [{ id, level: 'works', message: `systemd ${version} finds cgroups of version 1 on this machine` }];
  }
  const message = `systemd ${version} does not know cgroups ${cgroups.mode} alone, which this machine has: mount a hierarchy for it ('mkdir /sys/fs/cgroup/systemd && mount -t cgroup -o none,name=systemd cgroup /sys/fs/cgroup/systemd'), or start its applications without its init`;
  return [{ id, level: 'flag', message, flag: 'run --init services' }];
}

/** Programs of the years of Linux 2.6 that look at the kernel's version (personality(2), UNAME26). */
function kernelNameFindings({ kernel }: Inspection, { uname26 }: Machine): Finding[] {
  if (!/^2\.[46]\./.test(kernel)) return [];
  const id = 'kernel-name';
  if (uname26.able === true) {
    const message = `its kernel is ${kernel}: programs that refuse a newer version run with 'p2c run --personality uname26'`;
    return [{ id, level: 'works', message }];
  }
  const message = `its kernel is ${kernel}, and this machine cannot call itself 2.6: ${uname26.reason}; programs that look at the version may refuse`;
  return [{ id, level: 'look', message }];
}

function runnerFinding({ overlay, root, engines }: Machine): Finding {
  const id = 'runner';
  if (!root) {
    const message = "p2c does not run as root here: an image can be made, but not run ('sudo p2c run')";
    return { id, level: 'look', message };
  }
  const working = engines.flatMap(({ name, works }) => (works.able === true ? [name] : []));
  if (overlay.able === true && working.length > 0) {
    return { id, level: 'works', message: `this machine runs containers with ${working.join(', ')}` };
  }
  const reasons = [overlay, ...engines.map(({ works }) => works)].flatMap((ability) =>
    ability.able === true ? [] : [ability.reason],
  );
  const message = `this machine cannot run containers (${[...new Set(reasons)].join('; ')}): see 'p2c doctor'. An image can be made`;
  return { id, level: 'look', message };
}
