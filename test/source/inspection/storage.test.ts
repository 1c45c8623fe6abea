import test from 'ava';
import { classifyMounts } from '../../../src/source/filesystems.ts';
import { parseDf, readVolumes, sizeSection } from '../../../src/source/inspection/storage.ts';
import { parseMountinfo } from '../../../src/source/mountinfo.ts';
import { answers } from '../../helpers/answers.ts';

const MOUNTS = `20 1 253:0 / / rw - ext3 /dev/mapper/vg0-root rw
21 20 8:1 / /boot rw - ext3 /dev/sda1 rw
22 20 9:0 / /srv rw - xfs /dev/md0 rw
23 20 0:40 / /home/shared rw - nfs filer:/home rw
24 20 0:41 / /run rw - tmpfs tmpfs rw
25 22 7:0 / /srv/with\\040blank rw - ext4 /dev/loop0 rw
26 20 253:0 /etc/bind /var/named/etc rw - ext3 /dev/mapper/vg0-root rw
`;
const filesystems = classifyMounts(parseMountinfo(Buffer.from(MOUNTS)));

test('dead network filesystems are never asked for their size', (t) => {
  const { script } = sizeSection(filesystems);
  t.true(script.includes("'/srv/with blank'"));
  t.false(script.includes('/home/shared'));
});

test('sizes, layers and rates of writing', (t) => {
  const facts = answers({
    dm: '253:0 LVM-abcdef vg0-root\n',
    loops: '7:0 /srv/images/x.img\n',
    diskstats: ' 253       0 dm-0 100 0 800 10 200 0 2000 20 0 30 30\n   8       1 sda1 1 0 8 1 0 0 0 0 0 1 1\n',
    uptime: '1000.00 500.00\n',
  });
  const sizes = answers({
    df: 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/mapper/vg0-root 10000 4000 6000 40% /\n/dev/md0 20000 100 19900 1% /srv\n/dev/loop0 10 5 5 50% /srv/with blank\n',
  });
  const volumes = new Map(readVolumes(filesystems, facts, sizes).map((volume) => [volume.mountPoint, volume]));
  t.deepEqual(volumes.get('/')?.layers, ['LVM']);
  t.deepEqual(volumes.get('/')?.size, { value: { bytes: 10_240_000, used: 4_096_000 } });
  t.deepEqual(volumes.get('/')?.writeRate, { value: (2000 * 512) / 1000 });
  t.deepEqual(volumes.get('/srv')?.layers, ['software RAID']);
  t.deepEqual(volumes.get('/srv/with blank')?.layers, ['loop /srv/images/x.img']);
  t.true('unknown' in (volumes.get('/home/shared')?.size ?? {}));
  t.is(volumes.get('/var/named/etc')?.verdict, 'bind');
  t.true('unknown' in (volumes.get('/boot')?.size ?? {}));
});

test('df of coreutils and of busybox, and lines that are none', (t) => {
  const sizes = parseDf([
    'Filesystem         1024-blocks      Used Available Capacity Mounted on',
    '/dev/sda3             19840924  15220932   3595864      81% /',
    '/dev/vg/very-long-name',
    'none                         0         0         0       -  /proc',
    'df: /x: No such file or directory',
  ]);
  t.deepEqual(sizes.get('/'), { bytes: 19_840_924 * 1024, used: 15_220_932 * 1024 });
  t.is(sizes.size, 2);
});
