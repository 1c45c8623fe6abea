import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { followLinks } from '../../src/adapt/follow-links.ts';
import { type ByteString, byteString } from '../../src/printable.ts';
import { adapted, adaptedAgain, layerOf } from '../helpers/adapting.ts';
import { rawTar } from '../helpers/raw-tar.ts';

const FSTAB = 'LABEL=root / ext3 defaults 1 1\n';

test('what is edited keeps its mode, and attributes that are no text', async (t) => {
  const capability = String.fromCharCode(1, 0, 0, 2, 0xc3, 0xa9);
  const pax = { 'SCHILY.xattr.security.capability': capability, uid: '3000000', gid: '4' };
  const lower = layerOf({ 'etc/hosts': '' }, [
    { name: './etc/fstab', content: FSTAB, mode: 0o4711, pax },
    { name: './etc/securetty', content: 'tty1\n', mode: 0 },
  ]);
  const { image, root } = await adapted(t, [lower]);
  const layer = image.manifest.layers.at(-1)?.digest.slice(7) ?? '';
  const file = join(root, 'blobs/sha256', layer);
  const listed = execFileSync('tar', ['--numeric-owner', '-tvf', file], { encoding: 'utf8' });
  t.regex(listed, /^-rws--x--x 3000000\/4 .* \.\/etc\/fstab$/m);
  t.regex(listed, /^---------- 0\/0 .* \.\/etc\/securetty$/m);
  const bytes = execFileSync('cat', [file]);
  t.true(bytes.includes(Buffer.from(`SCHILY.xattr.security.capability=${capability}\n`, 'utf8')));
});

test('links are followed within the image, and nothing is written where they lead elsewhere', async (t) => {
  const lower = layerOf({
    'etc/fstab': { link: '../../../../etc/real/fstab' },
    'etc/real/fstab': FSTAB,
    'etc/securetty': { link: '/srv/securetty' },
    'srv/securetty': 'tty1\n',
    'etc/selinux/config': { link: 'config' },
    'etc/pam.d': { link: '/proc/self/root/etc/pam.d' },
    'etc/network/interfaces': { link: '/etc/network' },
    'etc/machine-id/file': 'a folder\n',
    'etc/default/rcS': `${'x'.repeat(2 * 1024 * 1024)}\n`,
  });
  const { files, after } = await adapted(t, [lower]);
  t.deepEqual(files, ['/etc/real/fstab', '/etc/mtab']);
  t.is(after.text('/etc/fstab'), `#p2c# ${FSTAB}`);
  t.is(after.target('/etc/fstab'), '../../../../etc/real/fstab');
});

test('a system whose etc is no folder is left alone', async (t) => {
  const { files, recipes } = await adapted(t, [layerOf({ etc: 'a file', 'usr/bin/true': 'ELF' })]);
  t.deepEqual([files, recipes], [[], []]);
});

test('layers lie over each other: whiteouts, files in place of folders, hard links', async (t) => {
  const lower = layerOf({
    'etc/fstab': FSTAB,
    'etc/ssh/ssh_host_rsa_key': 'old',
    'etc/pam.d/sshd': 'x pam_loginuid.so\n',
  });
  const upper = rawTar([
    { name: './', type: '5' },
    { name: './etc/', type: '5' },
    { name: './etc/.wh.ssh' },
    { name: './etc/pam.d', content: 'no folder any more\n' },
    { name: './etc/first', content: 'tty1\n' },
    { name: './etc/securetty', type: '1', link: './etc/first' },
  ]);
  const { files, after } = await adapted(t, [lower, upper]);
  t.deepEqual(files, ['/etc/fstab', '/etc/mtab', '/etc/securetty']);
  t.is(after.text('/etc/securetty'), 'tty1\nconsole\npts/0\n');
  t.is(after.text('/etc/first'), 'tty1\n');
});

test('an adaptation is renewed, and not laid over another', async (t) => {
  const first = await adapted(t, [layerOf({ 'etc/fstab': FSTAB, 'etc/securetty': 'tty1\n' })]);
  const again = await adaptedAgain(first.root, first.image, ['securetty']);
  t.is(first.image.manifest.layers.length, 2);
  t.is(again.image.manifest.layers.length, 2);
  t.deepEqual(again.recipes, ['fstab', 'mtab']);
  t.is(again.after.text('/etc/securetty'), 'tty1\n');
  const none = await adaptedAgain(first.root, again.image, ['fstab', 'mtab', 'securetty']);
  t.is(none.image.manifest.layers.length, 1);
});

test('links that go round lead nowhere', (t) => {
  const entry = { kind: 'symlink' as const, target: 'loop' as ByteString };
  t.is(
    followLinks((path) => (path === '/etc/loop' ? entry : undefined), '/etc/loop'),
    undefined,
  );
});

test('names that are not UTF-8 stay as they are', async (t) => {
  const name = byteString(Buffer.from([0xe9, 0x20, 0xff]));
  const lower = layerOf({ 'etc/hosts': '' }, [
    { name: './etc/network/', type: '5' },
    { name: './etc/network/interfaces.d/', type: '5' },
    { name: './etc/netplan/', type: '5' },
    { name: `./etc/netplan/${name}.yaml`, content: 'network:\n' },
  ]);
  const { after, files } = await adapted(t, [lower]);
  t.deepEqual(after.names('/etc/netplan'), [`${name}.yaml`]);
  t.is(after.text(`/etc/netplan/${name}.yaml`), '#p2c# network:\n');
  t.true(files.includes('/etc/netplan/\\xe9 \\xff.yaml'), files.join());
});
