/** Limits as the files of a cgroup: cgroup-v1/{memory,devices,pids}.rst and sched-bwc.rst, cgroup-v2.rst of the kernel. */
import type { DeviceRule, Resources } from '../spec.ts';

/** A file of a cgroup and what is written to it. */
export interface Setting {
  readonly controller: string;
  readonly file: string;
  readonly value: string;
  /** A kernel without it, such as one that does not count swap, gives less than was asked for, and that is all. */
  readonly optional?: boolean;
}

export function settingsV1({ memory, cpu, pids, devices }: Resources): Setting[] {
  const settings: Setting[] = [];
  const add = (controller: string, file: string, value: string | number, optional = false): void => {
    settings.push({ controller, file: `${controller}.${file}`, value: String(value), optional });
  };
  if (memory !== undefined) {
    add('memory', 'limit_in_bytes', memory.limit);
    if (memory.swap !== undefined) add('memory', 'memsw.limit_in_bytes', memory.swap, true);
  }
  if (cpu !== undefined) {
    add('cpu', 'cfs_period_us', cpu.period);
    add('cpu', 'cfs_quota_us', cpu.quota);
  }
  if (pids !== undefined) add('pids', 'max', pids.limit);
  // Without the controller nothing is lost but a second wall: filesystems of a container are `nodev`.
  for (const rule of devices) add('devices', rule.allow ? 'allow' : 'deny', deviceText(rule), true);
  return settings;
}

/** v2 has no file for devices. */
export function settingsV2({ memory, cpu, pids }: Resources): Setting[] {
  const settings: Setting[] = [];
  if (memory !== undefined) {
    settings.push({ controller: 'memory', file: 'memory.max', value: String(memory.limit) });
    const swap = memory.swap === undefined ? undefined : String(memory.swap - memory.limit);
    if (swap !== undefined) {
      settings.push({ controller: 'memory', file: 'memory.swap.max', value: swap, optional: true });
    }
  }
  if (cpu !== undefined) settings.push({ controller: 'cpu', file: 'cpu.max', value: `${cpu.quota} ${cpu.period}` });
  if (pids !== undefined) settings.push({ controller: 'pids', file: 'pids.max', value: String(pids.limit) });
  return settings;
}

function deviceText({ type, major, minor, access }: DeviceRule): string {
  if (type === undefined) return 'a';
  return `${type} ${major ?? '*'}:${minor ?? '*'} ${access}`;
}
