import test from 'ava';
import { judgeUnentered, type Unentered } from '../../src/pipeline/stages/unentered.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { classifyMounts, type Filesystem } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';

/** As Linux 6.18 has it of a btrfs that btrfs-progs 6.2 made; the finds' records below are of the same. */
const TABLE = `
27 1 0:41 /@ / rw,relatime - btrfs /dev/loop0 rw,discard=async,space_cache=v2,subvolid=256,subvol=/@
66 27 0:39 / /mnt/top rw,relatime - btrfs /dev/loop0 rw,discard=async,space_cache=v2,subvolid=5,subvol=/
68 27 0:39 /@/var /var rw,relatime - btrfs /dev/loop0 rw,discard=async,space_cache=v2,subvolid=258,subvol=/@/var
65 27 0:41 /@/srv /bind rw,relatime - btrfs /dev/loop0 rw,discard=async,space_cache=v2,subvolid=256,subvol=/@
70 27 8:1 / /ext4 rw,relatime - ext4 /dev/sda1 rw
71 27 0:60 / /nfs rw,relatime - nfs4 filer:/export rw
72 27 0:61 / /mnt/disk rw,relatime - ext4 /dev/sdb1 rw
73 68 0:62 / /var/lib/docker/overlay2/x/merged rw,relatime - overlay overlay rw
`;

const MOUNTS = classifyMounts(parseMountinfo(Buffer.from(TABLE)));

function unentered(path: string, device: number, inode: number): Unentered {
  return { path: byteStringFromText(path), device, inode, around: 41 };
}

function judged(items: readonly Unentered[], mounts: readonly Filesystem[] = MOUNTS, known: readonly string[] = []) {
  const found = judgeUnentered(items, mounts, new Set(known));
  const paths = (list: readonly Unentered[]): string[] => list.map(({ path }) => path);
  return {
    subvolumes: paths(found.subvolumes),
    mounted: found.mounted.map(String),
    covered: found.covered.map(String),
    places: found.places.map(String),
    odd: paths(found.odd),
  };
}

test('a directory of another anonymous device on a btrfs is a subvolume; the order is that of the paths', (t) => {
  t.deepEqual(judged([unentered('/srv/data', 42, 256), unentered('/srv/a', 45, 256), unentered('/var/x', 46, 256)]), {
    subvolumes: ['/srv/a', '/srv/data', '/var/x'],
    mounted: [],
    covered: [],
    places: [],
    odd: [],
  });
});

test('a subvolume that is listed already, or twice, is listed once', (t) => {
  const items = [unentered('/mnt/top/@', 41, 256), unentered('/mnt/top/@srv/n', 50, 256), unentered('/srv/n', 50, 256)];
  t.deepEqual(judged(items, MOUNTS, ['41:256']).subvolumes, ['/mnt/top/@srv/n']);
});

test('the empty place of a subvolume in a snapshot of what was around it is nothing to look into', (t) => {
  t.deepEqual(judged([unentered('/snap/srv/data', 39, 2)]), {
    subvolumes: [],
    mounted: [],
    covered: [],
    places: ['/snap/srv/data'],
    odd: [],
  });
});

test('what became a mount point meanwhile is not entered; one with files of its own is told, the others cover what lay there', (t) => {
  const items = [
    unentered('/nfs', 60, 256),
    unentered('/mnt/disk', 61, 256),
    unentered('/var/lib/docker/overlay2/x/merged', 62, 256),
  ];
  const covered = ['/nfs', '/var/lib/docker/overlay2/x/merged'];
  t.deepEqual(judged(items), { subvolumes: [], mounted: ['/mnt/disk'], covered, places: [], odd: [] });
});

test('below a bind mount nothing is looked into that lies elsewhere too', (t) => {
  t.deepEqual(judged([unentered('/bind/data', 42, 256)]), {
    subvolumes: [],
    mounted: [],
    covered: [],
    places: [],
    odd: [],
  });
});

const ODD: readonly (readonly [string, Unentered])[] = [
  ['on another type of filesystem', unentered('/ext4/x', 70, 256)],
  ['of a disk', unentered('/srv/x', 0x801, 256)],
  ['of a disk with a large number', unentered('/srv/x', 2 ** 44 + 1, 256)],
  ['with the inode of no subvolume', unentered('/srv/x', 42, 1)],
];

for (const [what, item] of ODD) {
  test(`a directory of another device is odd: ${what}`, (t) => {
    t.deepEqual(judged([item]), { subvolumes: [], mounted: [], covered: [], places: [], odd: [item.path] });
  });
}

test('anonymous devices have minor numbers of more than eight bits', (t) => {
  t.deepEqual(judged([unentered('/srv/x', 0xfff000ff, 256)]).subvolumes, ['/srv/x']);
});

test('with a table that has nothing all is odd', (t) => {
  t.deepEqual(judged([unentered('/srv/x', 42, 256)], []).odd, ['/srv/x']);
});
