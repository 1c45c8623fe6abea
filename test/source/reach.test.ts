import test from 'ava';
import { byteStringFromText } from '../../src/printable.ts';
import { classifyMounts } from '../../src/source/filesystems.ts';
import { parseMountinfo } from '../../src/source/mountinfo.ts';
import { Reach } from '../../src/source/reach.ts';

const MOUNTS = classifyMounts(
  parseMountinfo(
    Buffer.from(`
2 1 8:1 / / rw - ext4 /dev/a rw
3 2 8:1 /srv/home /home rw - ext4 /dev/a rw
4 3 8:2 / /home/a/disk rw - ext4 /dev/b rw
5 2 8:3 / /data rw - ext4 /dev/c rw
6 2 8:3 /www /www rw - ext4 /dev/c rw
7 6 8:4 / /www/x/y/disk rw - ext4 /dev/d rw
8 2 8:1 /var/named /var/named/chroot/var/named rw - ext4 /dev/a rw
9 2 0:40 / /tmp rw - tmpfs tmpfs rw
10 9 8:5 / /tmp/x/disk rw - ext4 /dev/e rw
11 2 8:6 / /old rw - ext4 /dev/f rw
12 11 8:7 / /old rw - ext4 /dev/g rw
`),
  ),
);

test('a find goes through bind mounts of its own device, and not into what it is in', (t) => {
  const reach = new Reach(MOUNTS);
  const enters = (path: string): string | undefined => reach.enters(byteStringFromText(path))?.mountPoint;
  t.is(enters('/home'), '/');
  t.is(enters('/home/a'), '/');
  t.is(enters('/home/a/disk/x'), '/home/a/disk');
  t.is(enters('/www'), undefined, 'it is of another device than what is around it');
  t.is(enters('/data/www'), '/data');
  t.is(enters('/var/named/chroot/var'), '/');
  t.is(enters('/var/named/chroot/var/named'), undefined);
  t.is(enters('/tmp/x'), undefined);
  t.is(enters('/old'), '/old');
  const prints = MOUNTS.map((mount) => reach.prints(mount)?.mountPoint);
  t.deepEqual(prints, [undefined, '/', '/', '/', '/', undefined, '/', '/', undefined, '/', '/']);
});

test('the directories above a disk that no find prints are told', (t) => {
  t.deepEqual(new Reach(MOUNTS).ways, ['/www/x', '/www/x/y', '/tmp/x'].map(byteStringFromText));
});
