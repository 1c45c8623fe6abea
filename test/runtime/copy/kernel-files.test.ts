import test from 'ava';
import { excludeKernelFiles, kernelMountOf, parseMounts } from '../../../src/runtime/copy/kernel-files.ts';

const MOUNTS = parseMounts(`20 1 0:18 / / rw - overlay overlay rw
21 20 0:19 / /proc rw shared:1 - proc proc rw
22 21 0:20 /null /proc/kcore rw - tmpfs devices rw
23 20 0:21 / /sys ro - sysfs sysfs ro
24 20 0:22 / /opt/a\\040b* rw - proc proc rw
25 20 0:23 / /hidden rw - proc proc rw
26 25 0:24 / /hidden rw - tmpfs tmpfs rw
`);

test('a path belongs to the mount that lies topmost on the way to it', (t) => {
  const typeOf = (path: string): string | undefined => kernelMountOf(MOUNTS, path)?.type;
  t.deepEqual(['/proc', '/proc/version', '/sys/x', '/opt/a b*/x'].map(typeOf), ['proc', 'proc', 'sysfs', 'proc']);
  t.deepEqual(['/', '/process', '/proc/kcore', '/hidden/x'].map(typeOf), [undefined, undefined, undefined, undefined]);
});

test('of a folder, the files that the kernel makes up are left out, by their names as tar sees them', (t) => {
  const excludes = ['./proc/*', './sys/*', './opt/a b\\*/*'].map((pattern) => `--exclude=${pattern}`);
  t.deepEqual(excludeKernelFiles(MOUNTS, '/').slice(3), excludes);
  t.deepEqual(excludeKernelFiles(MOUNTS, '/opt').slice(3), ['--exclude=./a b\\*/*']);
  t.deepEqual(excludeKernelFiles(MOUNTS, '/etc'), []);
});
