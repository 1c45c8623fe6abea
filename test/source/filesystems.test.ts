import test from 'ava';
import { Directories } from '../../src/listing/directories.ts';
import { byteStringFromText } from '../../src/printable.ts';
import { DuplicateAuditor } from '../../src/source/audit.ts';
import { swapFiles } from '../../src/source/facts.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo, parseProcMounts } from '../../src/source/mountinfo.ts';
import { shownElsewhere } from '../../src/source/shown-elsewhere.ts';
import { directory, entry } from '../helpers/entries.ts';

/** A Debian server: its initramfs mounted /proc and /dev before the root that carries them. */
const SERVER = `
22 28 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
23 28 0:21 / /proc rw,nosuid shared:13 - proc proc rw
24 28 0:5 / /dev rw,nosuid shared:2 - devtmpfs udev rw,size=4k
25 24 0:22 / /dev/pts rw,nosuid shared:3 - devpts devpts rw
28 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 28 8:2 / /boot rw,relatime - ext4 /dev/sda2 rw
31 28 8:3 / /data rw - xfs /dev/mapper/vg-data rw
32 28 8:1 /etc/bind /var/named/chroot/etc/bind rw - ext4 /dev/sda1 rw
33 28 0:40 / /tmp rw - tmpfs tmpfs rw
34 28 0:41 / /mnt/nfs rw - nfs4 filer:/export rw
35 28 0:42 / /srv/with\\040space ro - ext4 /dev/sdb1 ro
36 31 8:4 / /data/deep rw - ext4 /dev/sdc1 rw
37 28 8:5 / /old rw - ext4 /dev/sdd1 rw
38 37 8:6 / /old rw - ext4 /dev/sde1 rw
39 28 0:43 / /media/cd ro - iso9660 /dev/sr0 ro
40 28 0:44 / /run/user/0/gvfs rw - fuse.gvfsd-fuse gvfsd-fuse rw
41 28 0:45 tank /tank rw - zfs tank rw
this line is from a kernel of the future
`;

test('each mount of a server is judged, with a reason', (t) => {
  const judged = classifyMounts(parseMountinfo(Buffer.from(SERVER)));
  const verdicts = judged.map((mount) => `${mount.mountPoint} ${mount.verdict}`);
  t.deepEqual(verdicts, [
    '/sys pseudo',
    '/proc pseudo',
    '/dev pseudo',
    '/dev/pts pseudo',
    '/ included',
    '/boot included',
    '/data included',
    '/var/named/chroot/etc/bind bind',
    '/tmp memory',
    '/mnt/nfs network',
    '/srv/with space included',
    '/data/deep included',
    '/old hidden',
    '/old included',
    '/media/cd removable',
    '/run/user/0/gvfs network',
    '/tank included',
  ]);
  t.is(judged[7]?.reason, 'bind mount: shows /etc/bind again');
  t.true(judged.every((mount) => mount.reason.length > 5));
});

test('a bind mount is told from what it shows, whichever was mounted first', (t) => {
  const table =
    '2 1 8:1 / / rw - ext4 /dev/a rw\n3 2 8:3 /sub /bind rw - ext4 /dev/b rw\n4 2 8:3 / /whole rw - ext4 /dev/b rw\n';
  t.deepEqual(
    classifyMounts(parseMountinfo(Buffer.from(table))).map((mount) => mount.verdict),
    ['included', 'bind', 'included'],
  );
});

/** Each included mount by its place; of the others, the reason. */
function judged(table: string): Record<string, string> {
  const mounts = classifyMounts(parseMountinfo(Buffer.from(table)));
  return Object.fromEntries(
    mounts.map((mount) => [mount.mountPoint, mount.verdict === 'bind' ? mount.reason : mount.verdict]),
  );
}

test('a subvolume that is mounted below the one of the root is a filesystem of its own', (t) => {
  // openSUSE without snapshots: all of one device, and each root path below /@.
  const table = `
60 1 0:29 /@ / rw,relatime shared:1 - btrfs /dev/sda2 rw,space_cache,subvolid=256,subvol=/@
38 60 0:29 /@/.snapshots /.snapshots rw,relatime shared:17 - btrfs /dev/sda2 rw,space_cache,subvolid=266,subvol=/@/.snapshots
39 60 0:29 /@/var /var rw,relatime shared:33 - btrfs /dev/sda2 rw,space_cache,subvolid=258,subvol=/@/var
40 60 0:29 /@/srv /srv rw,relatime shared:40 - btrfs /dev/sda2 rw,space_cache,subvolid=260,subvol=/@/srv
41 60 0:29 /@/usr/local /usr/local rw,relatime shared:41 - btrfs /dev/sda2 rw,space_cache,subvolid=259,subvol=/@/usr/local
42 40 0:29 /@/srv/a\\040b/x,subvolid=256 /srv/odd rw,relatime - btrfs /dev/sda2 rw,subvolid=270,subvol=/@/srv/a\\040b/x,subvolid=256
`;
  t.deepEqual(judged(table), {
    '/': 'included',
    '/.snapshots': 'included',
    '/var': 'included',
    '/srv': 'included',
    '/usr/local': 'included',
    '/srv/odd': 'included',
  });
});

test('a subvolume below the root on the top level, or on a snapshot, is a filesystem of its own', (t) => {
  const table = `
2 1 0:30 / / rw - btrfs /dev/a rw,subvolid=5,subvol=/
3 2 0:30 /home /home rw - btrfs /dev/a rw,subvolid=257,subvol=/home
4 2 0:31 /@/.snapshots/1/snapshot /mnt rw - btrfs /dev/b rw,subvolid=267,subvol=/@/.snapshots/1/snapshot
5 4 0:31 /@/.snapshots /mnt/.snapshots rw - btrfs /dev/b rw,subvolid=266,subvol=/@/.snapshots
6 4 0:31 /@/.snapshots/1/snapshot/var/lib/machines /mnt/var/lib/machines rw - btrfs /dev/b rw,subvolid=268,subvol=/@/.snapshots/1/snapshot/var/lib/machines
`;
  t.deepEqual([...new Set(Object.values(judged(table)))], ['included']);
});

test('what is of one subvolume is shown again: the whole of it, or a folder of it', (t) => {
  const table = `
2 1 0:30 /@ / rw - btrfs /dev/a rw,subvolid=256,subvol=/@
3 2 0:30 /@data /data rw - btrfs /dev/a rw,subvolid=257,subvol=/@data
4 2 0:30 /@data /twice rw - btrfs /dev/a rw,subvolid=257,subvol=/@data
5 2 0:30 /@/etc/bind /chroot/etc/bind rw - btrfs /dev/a rw,subvolid=256,subvol=/@
6 2 0:30 /@data/www /www rw - btrfs /dev/a rw,subvolid=257,subvol=/@data/www
7 2 0:30 / /top rw - btrfs /dev/a rw,subvolid=5,subvol=/
8 2 0:30 /@/srv/nested/folder /folder rw - btrfs /dev/a rw,subvolid=300,subvol=/@/srv/nested
9 2 0:31 /@data /other rw - btrfs /dev/b rw,subvolid=257,subvol=/@data
`;
  t.deepEqual(judged(table), {
    '/': 'included',
    '/data': 'included',
    '/twice': 'bind mount: shows /data again',
    '/chroot/etc/bind': 'bind mount: shows /etc/bind again',
    '/www': 'bind mount: shows /data/www again',
    '/top': 'included',
    '/folder': 'included',
    '/other': 'included',
  });
});

test('where the kernel does not tell subvolumes, each is taken', (t) => {
  const table = `
2 1 0:30 /@ / rw - btrfs /dev/a rw,space_cache
3 2 0:30 /@/var /var rw - btrfs /dev/a rw,space_cache
4 2 0:30 /@/etc /chroot/etc rw - btrfs /dev/a rw,subvol=/@/etc,subvolid=256
5 2 0:30 /@/opt /opt rw - btrfs /dev/a
6 2 0:30 /@/srv /srv rw - btrfs /dev/a rw,subvolid=x256
`;
  t.deepEqual([...new Set(Object.values(judged(table)))], ['included']);
});

test('what is bound onto itself, or hides under another mount where it comes from, is not shown again', (t) => {
  const table = `
2 1 8:1 / / rw - ext4 /dev/a rw
3 2 8:1 /var/lib/docker /copy rw - ext4 /dev/a rw
4 2 8:1 /var/lib/docker /var/lib/docker rw - ext4 /dev/a rw
5 2 8:2 / /data rw - ext4 /dev/b rw
6 2 8:1 /data/old /old rw - ext4 /dev/a rw
7 2 8:1 /data/old/deep /deep rw - ext4 /dev/a rw
`;
  t.deepEqual(judged(table), {
    '/': 'included',
    '/copy': 'bind mount: shows /var/lib/docker again',
    '/var/lib/docker': 'included',
    '/data': 'included',
    '/old': 'included',
    '/deep': 'bind mount: shows /old/deep again',
  });
});

test('of places that show the same disk, one that lies below a bind mount is the last to be taken', (t) => {
  // Propagated to all that share: which of them the table has first is chance.
  const home = '3 2 8:1 /srv/home /home rw shared:1 - ext4 /dev/a rw';
  const places = ['4 3 8:2 / /home/alice rw - ext4 /dev/b rw', '5 2 8:2 / /srv/home/alice rw - ext4 /dev/b rw'];
  const deep = ['6 4 8:3 / /home/alice/deep rw - ext4 /dev/c rw', '7 5 8:3 / /srv/home/alice/deep rw - ext4 /dev/c rw'];
  const wanted = {
    '/': 'included',
    '/home': 'bind mount: shows /srv/home again',
    '/home/alice': 'bind mount: shows /srv/home/alice again',
    '/home/alice/deep': 'bind mount: shows /srv/home/alice/deep again',
    '/srv/home/alice': 'included',
    '/srv/home/alice/deep': 'included',
  };
  for (const order of [
    [home, ...places, ...deep],
    [home, ...places.toReversed(), ...deep.toReversed()],
    [...deep, ...places, home],
  ]) {
    t.deepEqual(judged(['2 1 8:1 / / rw shared:1 - ext4 /dev/a rw', ...order].join('\n')), wanted);
  }
  const twin = `
2 1 8:1 / / rw - ext4 /dev/a rw
3 2 8:2 / /data rw shared:2 - ext4 /dev/b rw
4 2 8:2 / /export rw shared:2 - ext4 /dev/b rw
5 4 8:3 / /export/disk rw - ext4 /dev/c rw
6 3 8:3 / /data/disk rw - ext4 /dev/c rw
`;
  t.deepEqual(judged(twin), {
    '/': 'included',
    '/data': 'included',
    '/export': 'bind mount: shows /data again',
    '/export/disk': 'bind mount: shows /data/disk again',
    '/data/disk': 'included',
  });
});

/** RHEL Atomic Host, CoreOS: the root is a directory of the disk, and /sysroot shows all of that. */
const OSTREE = `
23 1 253:0 /ostree/deploy/rhel/deploy/abc.0 / rw - xfs /dev/mapper/atomicos-root rw
24 23 253:0 / /sysroot rw - xfs /dev/mapper/atomicos-root rw
25 23 253:0 /ostree/deploy/rhel/deploy/abc.0/usr /usr ro - xfs /dev/mapper/atomicos-root rw
26 23 253:0 /ostree/deploy/rhel/var /var rw - xfs /dev/mapper/atomicos-root rw
27 23 253:0 /ostree/deploy/rhel/var/www /srv/www rw - xfs /dev/mapper/atomicos-root rw
28 23 8:1 / /boot rw - xfs /dev/sda1 rw
`;

test('an ostree system is taken where it lives, and of the whole disk what is left', (t) => {
  const mounts = classifyMounts(parseMountinfo(Buffer.from(OSTREE)));
  t.deepEqual(judged(OSTREE), {
    '/': 'included',
    '/sysroot': 'included',
    '/usr': 'included',
    '/var': 'included',
    '/srv/www': 'bind mount: shows /var/www again',
    '/boot': 'included',
  });
  t.deepEqual(
    shownElsewhere(mounts).map(({ path, reason }) => `${path} ${reason}`),
    [
      '/sysroot/ostree/deploy/rhel/deploy/abc.0 shows / again',
      '/sysroot/ostree/deploy/rhel/deploy/abc.0/usr shows /usr again',
      '/sysroot/ostree/deploy/rhel/var shows /var again',
    ],
  );
  t.deepEqual(shownElsewhere(classifyMounts(parseMountinfo(Buffer.from(SERVER)))), []);
});

test('what is left out where it lies is taken where it is bound, once', (t) => {
  const table = `
2 1 8:1 / / rw - ext4 /dev/a rw
3 2 8:1 /root/www /srv/www rw - ext4 /dev/a rw
4 2 8:1 /root/www /srv/again rw - ext4 /dev/a rw
5 2 8:1 /root/www/docs /srv/docs rw - ext4 /dev/a rw
6 2 8:1 /opt /mnt rw - ext4 /dev/a rw
`;
  const mounts = classifyMounts(parseMountinfo(Buffer.from(table)), (path) => path.startsWith('/root/'));
  t.deepEqual(
    mounts.map(({ mountPoint, verdict, original }) => [mountPoint, verdict, original].map(String)),
    [
      ['/', 'included', 'undefined'],
      ['/srv/www', 'included', 'undefined'],
      ['/srv/again', 'bind', '/srv/www'],
      ['/srv/docs', 'bind', '/srv/www/docs'],
      ['/mnt', 'bind', '/opt'],
    ],
  );
});

test("a running container's root is no filesystem of its own; a live system's root is", (t) => {
  const table =
    '2 1 0:9 / / rw - overlay overlay rw\n3 2 8:2 / /var rw - ext4 /dev/b rw\n4 3 0:40 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw\n';
  t.deepEqual(
    classifyMounts(parseMountinfo(Buffer.from(table))).map((mount) => mount.verdict),
    ['included', 'included', 'bind'],
  );
});

/** Lines of mountinfo, each made of its number from 0. */
function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join('\n');
}

test('a table of very many mounts is judged all the same', (t) => {
  const many = 20_000;
  const root = '1 0 8:1 / / rw - ext4 /dev/a rw\n';
  const verdicts = (table: string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const { verdict } of classifyMounts(parseMountinfo(Buffer.from(root + table)))) {
      counts[verdict] = (counts[verdict] ?? 0) + 1;
    }
    return counts;
  };
  const beside = lines(many, (index) => `${index + 2} 1 9:${index} / /m/${index} rw - ext4 /dev/b rw`);
  t.deepEqual(verdicts(beside), { included: many + 1 });
  const folders = lines(many, (index) => `${index + 2} 1 9:1 /f/${index} /m/${index} rw - ext4 /dev/b rw`);
  t.deepEqual(verdicts(folders), { included: many + 1 });
  const again = lines(many, (index) => `${index + 2} 1 8:1 /f /m/${index} rw - ext4 /dev/a rw`);
  t.deepEqual(verdicts(again), { included: 1, bind: many });
  const stacked = lines(many, (index) => `${index + 2} ${index + 1} 9:${index} / /m rw - ext4 /dev/b rw`);
  t.deepEqual(verdicts(stacked), { included: 2, hidden: many - 1 });
  const overRoot = lines(many / 2, (index) => `${index + 2} ${index + 1} 9:${index} / / rw - ext4 /dev/b rw`);
  const onTop = lines(
    many / 2,
    (index) => `${index + many} ${many / 2 + 1} 7:${index} / /m/${index} rw - ext4 /dev/b rw`,
  );
  t.deepEqual(verdicts(`${overRoot}\n${onTop}`), { included: many / 2 + 1, hidden: many / 2 });
});

test('a table that leads in a circle is no more than wrong', (t) => {
  const table = `
1 0 8:1 / / rw - ext4 /dev/a rw
2 3 8:2 / /x rw - ext4 /dev/b rw
3 2 8:3 / /x rw - ext4 /dev/c rw
4 4 8:4 / /y rw - ext4 /dev/d rw
1 1 8:5 / /z rw - ext4 /dev/e rw
`;
  t.is(classifyMounts(parseMountinfo(Buffer.from(table))).length, 5);
});

test('a filesystem hidden under a later mount of its parent is hidden', (t) => {
  const table =
    '2 1 8:1 / / rw - ext4 /dev/a rw\n3 2 8:2 / /a/b rw - ext4 /dev/b rw\n4 2 8:3 / /a rw - ext4 /dev/c rw\n';
  t.deepEqual(
    classifyMounts(parseMountinfo(Buffer.from(table))).map((mount) => mount.verdict),
    ['included', 'hidden', 'included'],
  );
});

test('/proc/mounts is read where there is no mountinfo', (t) => {
  const table =
    'rootfs / rootfs rw 0 0\n/dev/root / ext3 rw 0 0\nproc /proc proc rw 0 0\n/dev/b /with\\040space ext3 ro 0 0\n';
  const judged = classifyMounts(parseProcMounts(Buffer.from(table)));
  t.deepEqual(
    judged.map((mount) => `${mount.mountPoint} ${mount.verdict}`),
    ['/ hidden', '/ included', '/proc pseudo', '/with space included'],
  );
});

test('tables of any bytes are read without harm', (t) => {
  t.deepEqual(parseMountinfo(Buffer.from([0xff, 0x00, 0x0a, 0x20, 0x2d])), []);
  t.is(
    parseMountinfo(Buffer.from('1 0 8:1 / /\xffn rw - ext4 /dev/a rw', 'latin1'))[0]?.mountPoint as string,
    '/\xffn',
  );
});

test('the paths that the naive pipeline would hold twice are counted, with the cause', (t) => {
  const auditor = new DuplicateAuditor(classifyMounts(parseMountinfo(Buffer.from(SERVER))));
  const root = { device: 1 };
  const entries = [
    directory('/', root),
    directory('/boot', { device: 2 }),
    entry('/boot/vmlinuz', { device: 2 }),
    directory('/data', { device: 3 }),
    directory('/data/deep', { device: 4 }),
    entry('/data/deep/file', { device: 4 }),
    directory('/mnt', root),
    directory('/mnt/nfs', { device: 41 }),
    directory('/var', root),
    directory('/var/named', root),
    directory('/var/named/chroot', root),
    directory('/var/named/chroot/etc', root),
    directory('/var/named/chroot/etc/bind', root),
    entry('/var/named/chroot/etc/bind/named.conf', root),
    entry('/var/named/other', root),
  ];
  const walk = auditor.walk();
  const directories = new Directories();
  for (const item of entries) walk.add(item, directories.leaveFor(item));
  const { duplicates, total, byCause } = auditor.result();
  t.deepEqual(
    duplicates.map(({ path, count, cause }) => `${count} ${path} ${cause}`),
    [
      '2 /boot mount point under a parent',
      '2 /data mount point under a parent',
      '2 /data/deep mount point under a parent',
      '2 /var/named/chroot/etc/bind bind mount',
      '2 /var/named/chroot/etc/bind/named.conf bind mount',
    ],
  );
  t.is(total, 5);
  t.deepEqual(byCause, { 'mount point under a parent': 3, 'bind mount': 2 });
});

test('swap files are those in use and those of fstab', (t) => {
  const text =
    'Filename Type Size\n/swap\\040file file 1 0 -2\n/dev/sda2 partition 1 0 -3\n# c\n/swapfile none swap sw 0 0\n/dev/sda2 none swap sw 0 0\n/data /x ext4 rw\n';
  t.deepEqual(swapFiles(byteStringFromText(text)) as string[], ['/swap file', '/swapfile']);
});

test('swap files are named as a listing names them, however fstab does', (t) => {
  const named = (path: string): string[] => swapFiles(byteStringFromText(`${path} none swap sw 0 0\n`));
  for (const path of ['/srv//swapfile', '/srv/./swapfile', '/srv/x/../swapfile', '/srv/swapfile/', '//srv/swapfile'])
    t.deepEqual(named(path), ['/srv/swapfile'], path);
  for (const path of ['/', '//', '/srv/..', '/a\\000b', '/srv/../dev/sdb', '/./dev/sdb'])
    t.deepEqual(named(path), [], path);
});
