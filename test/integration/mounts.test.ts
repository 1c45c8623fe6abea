/** Servers whose files are shown in odd ways: btrfs with subvolumes of all kinds, directories mounted within themselves. */
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { cli, type Ended, startCli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

function migrate(server: LabServer, root: string, ...more: string[]): Promise<Ended> {
  return migrateAdapted(server, root, '--no-adapt', ...more);
}

function migrateAdapted(server: LabServer, root: string, ...more: string[]): Promise<Ended> {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  const how = ['--tag', 'lab:one', '--profile', 'none'];
  return cli(['migrate', `root@${server.address}`, ...access, ...how, ...more], { P2C_ROOT: root });
}

/** The image's tree, by code that is not ours. */
async function unpack(t: ExecutionContext, root: string): Promise<string> {
  const bundle = join(await temporaryFolder(t), 'bundle');
  await run('umoci', ['unpack', '--image', `${root}:lab:one`, bundle], { maxBuffer: 1024 ** 3 });
  return join(bundle, 'rootfs');
}

/** A disk with a btrfs; the number of its loop device. */
async function btrfsDisk(t: ExecutionContext, fill: string): Promise<string> {
  const image = join(await temporaryFolder(t), 'disk');
  await run('sh', ['-ec', `truncate -s 400M ${image}; mkfs.btrfs -q ${image}`]);
  const device = (await run('losetup', ['-f', '--show', image])).stdout.trim();
  t.teardown(() => run('losetup', ['-d', device]));
  await run('unshare', ['-m', 'sh', '-ec', `mount ${device} /mnt; cd /mnt${fill}cd /; umount /mnt`]);
  return device.replace('/dev/loop', '');
}

const SUSE = `
create() { for path; do btrfs subvolume create $path >/dev/null; done; }
create @; mkdir @/srv @/etc @/bind; echo etc > @/etc/file
create @/var @/.snapshots @/srv/data @/srv/data/deep @/srv/more
echo var > @/var/file; echo data > @/srv/data/file; echo deep > @/srv/data/deep/file; ln @/srv/data/file @/srv/data/name
mkdir @/.snapshots/1; echo info > @/.snapshots/1/info.xml; btrfs subvolume snapshot -r @ @/.snapshots/1/snapshot >/dev/null
mkdir @/srv/backup; btrfs subvolume snapshot @/srv/data @/srv/backup/data >/dev/null
`;

test.serial('subvolumes of a btrfs are captured, those that are mounted and those that are not', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci', 'mkfs.btrfs', 'losetup'])) return;
  const number = await btrfsDisk(t, SUSE);
  const server = await labServer(t, 'btrfs');
  const root = await temporaryFolder(t);
  await server.exec(`set -e; mkdir /suse /top; mknod /disk b 7 ${number}
    at() { mount -t btrfs -o subvol=$1 /disk $2; }
    at @ /suse; at @/var /suse/var; at @/.snapshots /suse/.snapshots; at / /top
    mount --bind /suse/srv /suse/bind`);
  const planned = await migrate(server, root, '--dry-run');
  t.is(planned.code, 0, planned.stderr);
  for (const words of ['the subvolume /suse/srv/data', 'the subvolume /suse/srv/data/deep', '/suse/var'])
    t.true(planned.stdout.includes(`. list ${words} to see what moved`), words);

  const ended = await migrate(server, root, '--json');
  t.is(ended.code, 0, ended.stderr);
  const { filesystems, listing, ledger } = JSON.parse(ended.stdout);
  t.deepEqual(listing.problems, []);
  const verdicts = filesystems.filter(({ type }: { type: string }) => type === 'btrfs');
  t.deepEqual(
    verdicts.map((mount: { mountPoint: string; verdict: string }) => `${mount.mountPoint} ${mount.verdict}`),
    ['/suse included', '/suse/var included', '/suse/.snapshots included', '/top included', '/suse/bind bind'],
  );
  t.false(JSON.stringify(ledger).includes('snapshots/1/snapshot'), 'a snapshot is not looked into');
  const tree = await unpack(t, root);
  const text = (path: string): string => readFileSync(join(tree, path), 'utf8');
  t.is(text('suse/etc/file'), 'etc\n');
  t.is(text('suse/var/file'), 'var\n');
  t.is(text('suse/srv/data/file'), 'data\n');
  t.is(text('suse/srv/data/name'), 'data\n');
  t.is(text('suse/srv/data/deep/file'), 'deep\n');
  t.is(text('suse/srv/backup/data/name'), 'data\n', 'a snapshot that nobody knows as one');
  t.deepEqual(readdirSync(join(tree, 'suse/srv/backup/data/deep')), [], 'the place of a subvolume');
  t.deepEqual(readdirSync(join(tree, 'suse/srv/more')), []);
  t.deepEqual(readdirSync(join(tree, 'suse/.snapshots/1/snapshot')), []);
  t.deepEqual(readdirSync(join(tree, 'top/@')), [], 'listed as /suse');
  t.deepEqual(readdirSync(join(tree, 'suse/bind')), []);
  const valid = await cli(['image', 'validate', 'lab:one'], { P2C_ROOT: root });
  t.is(valid.code, 0, valid.stdout);
  const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout + held.stderr);
});

test.serial(
  'a snapshot that is made while it is streamed is in the image, with the places of its subvolumes',
  async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['umoci', 'mkfs.btrfs', 'losetup'])) return;
    const number = await btrfsDisk(
      t,
      '; btrfs subvolume create a >/dev/null; btrfs subvolume create a/in >/dev/null; echo file > a/file\n',
    );
    const server = await labServer(t, 'snapshot', { large: true });
    const root = await temporaryFolder(t);
    await server.exec(`set -e; mkdir /btr; mknod /disk b 7 ${number}; mount -t btrfs /disk /btr`);
    const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    const how = ['--tag', 'lab:one', '--profile', 'none', '--no-adapt', '--json'];
    const p2c = startCli(['migrate', `root@${server.address}`, ...access, ...how], { P2C_ROOT: root });
    await server.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done');
    // By a program of this machine: the server's small system has none.
    await run('unshare', [
      '-m',
      'sh',
      '-ec',
      `mount /dev/loop${number} /mnt; btrfs subvolume snapshot /mnt/a /mnt/b >&2; umount /mnt`,
    ]);
    const ended = await p2c.ended;
    t.is(ended.code, 0, ended.stderr);
    t.is(JSON.parse(ended.stdout).settle.stillMoving, 0);
    const tree = await unpack(t, root);
    t.is(readFileSync(join(tree, 'btr/b/file'), 'utf8'), 'file\n');
    t.deepEqual(readdirSync(join(tree, 'btr/b/in')), []);
    t.is(statSync(join(tree, 'btr/b/in')).mtimeMs, 0, 'its time means nothing');
    const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout + held.stderr);
  },
);

test.serial('what is mounted within itself, or onto itself, leaves no doubt and loses nothing', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
  const server = await labServer(t, 'binds');
  const root = await temporaryFolder(t);
  await server.exec(`set -e; mkdir -p /var/named/chroot/var/named "/odd o'x/in" /self /hidden /seen /again
    echo zone > /var/named/zone; echo self > /self/file; echo hidden > /hidden/file; chmod 750 /var/named
    mount --bind /var/named /var/named/chroot/var/named; mount --bind "/odd o'x" "/odd o'x/in"
    mount --bind /self /self; mount --bind /self /again; mount --bind /hidden /seen; mount -t tmpfs none /hidden`);
  t.regex(await server.exec('find / -xdev 2>&1 >/dev/null; true'), /loop detected.*loop detected/s);
  const ended = await migrate(server, root, '--json');
  t.is(ended.code, 0, ended.stderr);
  const report = JSON.parse(ended.stdout);
  t.deepEqual(report.listing.problems, []);
  const tree = await unpack(t, root);
  t.is(readFileSync(join(tree, 'var/named/zone'), 'utf8'), 'zone\n');
  t.deepEqual(readdirSync(join(tree, 'var/named/chroot/var/named')), [], 'the mount point is there');
  t.deepEqual(readdirSync(join(tree, "odd o'x/in")), []);
  t.is(readFileSync(join(tree, 'self/file'), 'utf8'), 'self\n');
  t.is(readFileSync(join(tree, 'seen/file'), 'utf8'), 'hidden\n');
  t.false(existsSync(join(tree, 'again/file')));
});

test.serial(
  'bind mounts lose nothing: disks in them, what is left out elsewhere, and their places in the image',
  async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['umoci', 'losetup'])) return;
    const image = join(await temporaryFolder(t), 'disk');
    await run('sh', ['-ec', `truncate -s 40M ${image}; mkfs.ext4 -q ${image}`]);
    const device = (await run('losetup', ['-f', '--show', image])).stdout.trim();
    t.teardown(() => run('losetup', ['-d', device]));
    const server = await labServer(t, 'bind-disks');
    const root = await temporaryFolder(t);
    const env = { P2C_ROOT: root };
    t.teardown(() => cli(['rm', '-f', '-a'], env));
    await server.exec(`set -e; mknod /disk b 7 ${device.replace('/dev/loop', '')}; mount --make-private /
    mkdir -p /srv/own/a/b /own /srv/home/alice /data/www /var/www/shop /root/www /srv/www /data/in/x /in
    echo bob > /srv/home/bob; echo page > /data/www/page; echo rooted > /root/www/page; chmod 2750 /srv/own/a /data/in/x
    mount --bind /srv/own /own; mount --make-private /own; mount /disk /own/a/b; echo own > /own/a/b/file; umount /own/a/b
    mount --bind /data/in /in; mount --make-private /in; mkdir /in/x/y; mount /disk /in/x/y
    mount --make-shared /; mount --bind /srv/home /home; mount -t tmpfs none /mnt; mkdir -m 2750 /mnt/x /mnt/x/y
    mount --bind /data/www /var/www/shop; mount --bind /root/www /srv/www`);
    const first = await migrateAdapted(server, root, '--json');
    t.is(first.code, 0, first.stderr);
    const tree = await unpack(t, root);
    const text = (path: string): string => readFileSync(join(tree, path), 'utf8');
    t.is(text('in/x/y/file'), 'own\n', 'a disk in a bind mount of another disk than what is around it');
    t.is(statSync(join(tree, 'in/x')).mode & 0o7777, 0o2750);
    t.is(text('srv/www/page'), 'rooted\n');
    t.is(readlinkSync(join(tree, 'home')), '/srv/home');
    t.is(readlinkSync(join(tree, 'var/www/shop')), '/data/www');
    t.deepEqual(
      JSON.parse(first.stdout).adaptation.passedOver.map(({ path }: { path: string }) => path),
      ['/in', '/var/named/chroot/etc/bind'],
    );
    const served = await cli(
      ['run', '--rm', '--network', 'none', 'lab:one', 'cat', '/var/www/shop/page', '/home/bob'],
      env,
    );
    t.is(served.stdout, 'page\nbob\n', served.stderr);
    t.is((await cli(['image', 'receipt', '--check', 'lab:one'], env)).code, 0);

    // With shared propagation it is seen where it is mounted, and where that is bound from.
    await server.exec(
      'set -e; umount /in/x/y; mount /disk /home/alice; grep -q " /srv/home/alice " /proc/self/mountinfo',
    );
    const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
    const asked = ['--profile', 'none', '--json', '--why', '/srv/home/alice/file'];
    const audited = await cli(['audit', `root@${server.address}`, ...access, ...asked], env);
    const { filesystems, excluded, why } = JSON.parse(audited.stdout);
    const verdict = (place: string): string =>
      filesystems.find(({ mountPoint }: { mountPoint: string }) => mountPoint === place).verdict;
    t.deepEqual(['/srv/home/alice', '/home/alice', '/home'].map(verdict), ['included', 'bind', 'bind']);
    t.true(excluded.some(({ rule }: { rule: string }) => rule === 'source:/home/**'));
    t.is(why[0].verdict, 'captured');
  },
);
