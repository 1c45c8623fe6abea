/** How full a server's filesystems are, how fast they are written, and what they are made of. */
import { printablePath } from '../../printable.ts';
import { quotePath } from '../../ssh/quote.ts';
import type { Filesystem } from '../filesystems.ts';
import { type Fact, known, unknown } from './fact.ts';
import type { Answers, Section } from './sections.ts';

export interface Volume {
  readonly mountPoint: string;
  readonly type: string;
  readonly device: string;
  readonly verdict: Filesystem['verdict'];
  /** What lies under it: `LVM`, `software RAID`, `loop FILE`, `encrypted`, `multipath`. */
  readonly layers: readonly string[];
  readonly size: Fact<{ readonly bytes: number; readonly used: number }>;
  /** Bytes written to its device each second, on average since the server booted. */
  readonly writeRate: Fact<number>;
}

export const STORAGE_SECTIONS: readonly Section[] = [
  {
    name: 'dm',
    script: 'for d in /sys/block/dm-*; do [ -d $d ] && echo "$(cat $d/dev) $(cat $d/dm/uuid) $(cat $d/dm/name)"; done',
    maxBytes: 64 * 1024,
  },
  {
    name: 'dmsetup',
    script: "[ -d /sys/block/dm-0/dm ] || dmsetup info -c --noheadings --separator ' ' -o major,minor,uuid,name",
    maxBytes: 64 * 1024,
  },
  {
    name: 'loops',
    script:
      'for d in /sys/block/loop*; do [ -r $d/loop/backing_file ] && echo "$(cat $d/dev) $(cat $d/loop/backing_file)"; done; losetup -a',
    maxBytes: 64 * 1024,
  },
  { name: 'diskstats', script: 'cat /proc/diskstats', maxBytes: 128 * 1024 },
  { name: 'uptime', script: 'cat /proc/uptime', maxBytes: 128 },
];

/** Network filesystems are not asked: one whose server is gone would not answer, ever. */
export function sizeSection(filesystems: readonly Filesystem[]): Section {
  const asked = filesystems.filter(({ verdict }) => verdict === 'included' || verdict === 'memory');
  const words = asked.map(({ mountPoint }) => quotePath(mountPoint)).join(' ');
  return { name: 'df', script: words === '' ? 'true' : `df -P -k ${words}`, maxBytes: 256 * 1024 };
}

export function readVolumes(filesystems: readonly Filesystem[], facts: Answers, sizes: Answers): Volume[] {
  const used = parseDf(sizes.lines('df'));
  const told = filesystems.filter(({ verdict }) => verdict !== 'pseudo' && verdict !== 'hidden');
  return told.map((mount) => {
    const mountPoint = printablePath(mount.mountPoint);
    const size = used.get(mountPoint);
    return {
      mountPoint,
      type: mount.type,
      device: printablePath(mount.source),
      verdict: mount.verdict,
      layers: layersOf(mount, facts),
      size: size === undefined ? unsized(mount, sizes) : known(size),
      writeRate: writeRateOf(mount, facts),
    };
  });
}

function unsized({ verdict }: Filesystem, sizes: Answers): Fact<never> {
  if (verdict === 'network') return unknown('not asked: a server that is gone would never answer');
  if (verdict === 'bind') return unknown('it is part of another filesystem');
  return sizes.none('df does not tell');
}

/** `Filesystem 1024-blocks Used Available Capacity Mounted on`: -P keeps one line each (POSIX, df). */
export function parseDf(lines: readonly string[]): Map<string, { bytes: number; used: number }> {
  const sizes = new Map<string, { bytes: number; used: number }>();
  for (const line of lines) {
    const [, blocks, used, mountPoint] = /\s(\d+)\s+(\d+)\s+-?\d+\s+(?:\d+%|-)\s+(\/.*)$/.exec(line) ?? [];
    if (mountPoint !== undefined) sizes.set(mountPoint, { bytes: Number(blocks) * 1024, used: Number(used) * 1024 });
  }
  return sizes;
}

function layersOf({ device, source }: Filesystem, facts: Answers): string[] {
  const layers: string[] = [];
  const dm = [...facts.lines('dm'), ...facts.lines('dmsetup').map((line) => line.replace(/^(\d+) (\d+) /, '$1:$2 '))];
  const mapped = dm.find((line) => line.startsWith(`${device} `))?.split(' ')[1] ?? '';
  if (mapped.startsWith('LVM-')) layers.push('LVM');
  else if (mapped.startsWith('CRYPT-')) layers.push('encrypted');
  else if (mapped.startsWith('mpath-')) layers.push('multipath');
  else if (/^\/dev\/mapper\/[^/]+-[^/]+$/.test(source)) layers.push('LVM');
  if (/^\/dev\/md/.test(source) || device.startsWith('9:')) layers.push('software RAID');
  const loop = facts.lines('loops').find((line) => line.startsWith(`${device} `));
  if (loop !== undefined) layers.push(`loop ${loop.slice(device.length + 1)}`);
  return layers;
}

/** Field 10 of diskstats is sectors of 512 bytes written (kernel documentation, iostats). */
function writeRateOf({ device, verdict }: Filesystem, facts: Answers): Fact<number> {
  const uptime = Number(facts.line('uptime').split(' ')[0]);
  if (verdict !== 'included') return unknown('only disks are counted');
  const line = facts.lines('diskstats').find((each) => each.trim().split(/\s+/).slice(0, 2).join(':') === device);
  const sectors = Number(line?.trim().split(/\s+/)[9]);
  if (device === '' || !Number.isFinite(sectors) || !(uptime > 0))
    return unknown('the kernel does not count its writes');
  return known((sectors * 512) / uptime);
}
