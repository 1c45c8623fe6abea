/** A bundle as the operations of the setup script. */
import { statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cgroupHierarchies, type Hierarchy } from '../cgroup/hierarchy.ts';
import type { Place } from '../engine.ts';
import { inUserNamespace } from '../rootless/user-namespace.ts';
import type { Bundle, Device, Mount } from '../spec.ts';
import { isReserved } from '../volume.ts';
import { limitOption } from './command-words.ts';
import { lastStepFiles, wayOf } from './last-step-files.ts';
import { TOOLS, type ToolFile, toolFiles } from './toolbox.ts';

/** Those of every container (runtime-spec, config-linux.md, Default Devices). */
const DEVICES: readonly Device[] = (
  [
    ['null', 1, 3],
    ['zero', 1, 5],
    ['full', 1, 7],
    ['random', 1, 8],
    ['urandom', 1, 9],
    ['tty', 5, 0],
  ] as const
).map(([name, major, minor]) => ({ path: `/dev/${name}`, type: 'c', major, minor, fileMode: 0o666, uid: 0, gid: 0 }));
const LINKS: readonly (readonly [target: string, name: string])[] = [
  ['/proc/self/fd', '/dev/fd'],
  ['/proc/self/fd/0', '/dev/stdin'],
  ['/proc/self/fd/1', '/dev/stdout'],
  ['/proc/self/fd/2', '/dev/stderr'],
  ['pts/ptmx', '/dev/ptmx'],
];

/** Of a mount and not of its filesystem. */
const FLAGS: readonly string[] = ['ro', 'rw', 'nodev', 'nosuid', 'noexec'];

/** The arguments of `SETUP`. @param ending the words that follow the setup. */
export async function setupOperations(place: Place, bundle: Bundle, ending: readonly string[]): Promise<string[]> {
  const tools = [...(await toolFiles(wayOf(place) === 'plain' ? TOOLS.plain : TOOLS.perl)), ...lastStepFiles(place)];
  const binds = bundle.mounts.filter((mount) => mount.type === 'bind');
  const kernel = bundle.mounts.filter(isKernels);
  const others = bundle.mounts.filter((mount) => !isKernels(mount));
  const kinds = binds.map(({ source }) => (statSync(source).isDirectory() ? 'folder' : 'file'));
  return [
    join(place.folder, bundle.root.path),
    ...toolWords(tools),
    ...place.layers.flatMap(({ folder }) => ['layer', folder]),
    ...['writable', place.folder],
    ...binds.flatMap(({ source, options }, at) => {
      const how = options.includes('rbind') ? 'rbind' : 'bind';
      const flags = options.filter((option) => FLAGS.includes(option));
      return ['volume', String(at), source, kinds[at] ?? 'file', how, flags.join(',')];
    }),
    ...['hostname', bundle.hostname],
    ...machineWords(bundle),
    ...['overlay', place.privileged ? 'rw' : 'rw,nodev'],
    '--',
    ...(binds.some(({ options }) => options.includes('rbind') && options.includes('nodev'))
      ? ['below', '/v/*', 'nodev']
      : []),
    // In a namespace that was made before, the loopback is up.
    ...(ownNetwork(bundle) && !inUserNamespace() ? ['loopback'] : []),
    ...kernel.flatMap((mount) => mountWords(place, mount, bundle)),
    ...(inUserNamespace()
      ? DEVICES.flatMap(({ path }, at) => ['moved-device', String(at), path])
      : ['devices', ...[...DEVICES, ...bundle.linux.devices].flatMap(deviceWords)]),
    ...LINKS.flatMap(([target, name]) => ['link', target, name]),
    // A filesystem in memory may lie within a volume, and a volume within one.
    ...others.flatMap((mount) => {
      const at = binds.indexOf(mount);
      return at < 0 ? mountWords(place, mount, bundle) : ['move', String(at), kinds[at] ?? 'file', mount.destination];
    }),
    ...(bundle.process.terminal ? ['console'] : []),
    ...['folder', bundle.process.cwd],
    ...bundle.linux.maskedPaths.flatMap((path) => ['mask', path]),
    ...bundle.linux.readonlyPaths.flatMap((path) => ['readonly', path]),
    ...(bundle.root.readonly ? ['sealed'] : []),
    ...bundle.process.rlimits.flatMap((limit) => ['limit', limitOption(limit)]),
    '--',
    ...ending,
  ];
}

/** All that keep their names at once. */
function toolWords(files: readonly ToolFile[]): string[] {
  const keepsName = ({ source, name }: ToolFile): boolean => basename(source) === name;
  const [kept, renamed] = [files.filter(keepsName), files.filter((file) => !keepsName(file))];
  return [
    ...['tools', String(kept.length), ...kept.map(({ source }) => source)],
    ...renamed.flatMap(({ source, name }) => ['tool', source, name]),
  ];
}

/** What the nodes and links of /dev are made in. */
function isKernels({ type, destination }: Mount): boolean {
  return type !== 'bind' && (isReserved(destination) || destination === '/dev/shm');
}

/** In a user namespace no device can be made, and sysfs be mounted only of a network namespace of its own. */
function machineWords(bundle: Bundle): string[] {
  if (!inUserNamespace()) return [];
  return [
    ...DEVICES.flatMap(({ path }, at) => ['machine-device', String(at), path]),
    sharesNetwork(bundle) ? 'machine-sysfs' : 'own-sysfs',
  ];
}

function sharesNetwork({ linux: { namespaces } }: Bundle): boolean {
  return !namespaces.some(({ type }) => type === 'network');
}

function ownNetwork({ linux: { namespaces } }: Bundle): boolean {
  return namespaces.some(({ type, path }) => type === 'network' && path === undefined);
}

function mountWords(place: Place, mount: Mount, bundle: Bundle): string[] {
  if (mount.type === 'sysfs' && inUserNamespace() && sharesNetwork(bundle)) return ['moved-sysfs'];
  if (mount.type === 'devpts') return ['terminals', mount.destination];
  if (mount.type === 'cgroup') return cgroupWords(mount);
  if (mount.type === 'tmpfs' && (copiesUp(mount) || !hasMode(mount))) return memoryWords(place, mount);
  return ['mount', mount.type, mount.destination, mountOptions(place, mount)];
}

function copiesUp({ options }: Mount): boolean {
  return options.includes('tmpcopyup');
}

function hasMode({ options }: Mount): boolean {
  return options.some((option) => option.startsWith('mode='));
}

/** One that is read-only is so once it is filled, and its mode is its folder's unless one is given. */
function memoryWords(place: Place, mount: Mount): string[] {
  const options = mountOptions(place, mount).split(',');
  const first = options.filter((option) => option !== 'ro' && option !== 'tmpcopyup');
  const sealed = ['remount', 'bind', ...options.filter((option) => FLAGS.includes(option))];
  return [
    ...['memory', mount.destination, first.join(','), hasMode(mount) ? 'given' : 'kept'],
    ...[copiesUp(mount) ? 'copied' : 'empty', options.includes('ro') ? sealed.join(',') : 'writable'],
  ];
}

/** As runc: the one hierarchy of v2 itself, or a folder with a mount for each of v1. */
function cgroupWords({ destination, options }: Mount): string[] {
  const access = ['nosuid', 'nodev', 'noexec', options.includes('ro') ? 'ro' : 'rw'].join(',');
  const hierarchies = cgroupHierarchies();
  if (hierarchies.every(({ version }) => version === 2)) {
    return hierarchies.length === 0 ? [] : ['cgroup', destination, 'cgroup2', 'rw', access];
  }
  const nameOf = ({ version, controllers }: Hierarchy): string =>
    version === 2 ? 'unified' : controllers.join(',').replace('name=', '');
  return [
    ...['mount', 'tmpfs', destination, 'nosuid,nodev,noexec,mode=755,size=64k'],
    ...['folders', String(hierarchies.length), destination, ...hierarchies.map(nameOf)],
    ...hierarchies.flatMap((hierarchy) => {
      const { version, controllers } = hierarchy;
      const at = `${destination}/${nameOf(hierarchy)}`;
      if (version === 2) return ['cgroup', at, 'cgroup2', 'rw', access];
      const none = controllers.every((word) => word.startsWith('name=')) ? 'none,' : '';
      return ['cgroup', at, 'cgroup', `${none}${controllers.join(',')}`, access];
    }),
  ];
}

/**
 * All but devpts and the nodes of /dev are `nodev`: not every kernel has a device cgroup that this engine can use, and a
 * node that root in a container made must not open the machine's disk.
 */
function mountOptions({ privileged }: Place, { type, options }: Mount): string {
  const nodev = privileged || type === 'devpts' || options.includes('nodev') ? [] : ['nodev'];
  return [...options, ...nodev].join(',');
}

function deviceWords({ path, type, major, minor, fileMode, uid, gid }: Device, at: number): string[] {
  return ['device', String(at), path, type, String(major), String(minor), fileMode.toString(8), `${uid}:${gid}`];
}
