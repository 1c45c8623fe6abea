/** Which hierarchies of cgroups a machine has, told from its mounts: v1, v2, hybrid. */
import test from 'ava';
import { parseHierarchies } from '../../../src/runtime/cgroup/hierarchy.ts';
import { settingsV1, settingsV2 } from '../../../src/runtime/cgroup/limits.ts';

const line = (folder: string, type: string, options: string): string =>
  `31 24 0:27 / ${folder} rw,nosuid shared:9 - ${type} ${type} ${options}`;
const found = (...lines: string[]) => parseHierarchies(lines.join('\n'), () => ['cpu', 'memory']);

test('v2 alone', (t) => {
  t.deepEqual(found(line('/', 'ext4', 'rw'), line('/sys/fs/cgroup', 'cgroup2', 'rw,nsdelegate')), [
    { version: 2, folder: '/sys/fs/cgroup', controllers: ['cpu', 'memory'] },
  ]);
});

test('hybrid: controllers that lie together, a hierarchy without any, and v2 beside them', (t) => {
  const together = line('/sys/fs/cgroup/cpu,cpuacct', 'cgroup', 'rw,cpu,cpuacct');
  const twice = line('/elsewhere', 'cgroup', 'rw,cpu,cpuacct');
  const named = line('/sys/fs/cgroup/systemd', 'cgroup', 'rw,xattr,release_agent=/lib/x,name=systemd');
  t.deepEqual(found(together, named, twice, line('/sys/fs/cgroup/unified', 'cgroup2', 'rw')), [
    { version: 1, folder: '/sys/fs/cgroup/cpu,cpuacct', controllers: ['cpu', 'cpuacct'] },
    { version: 1, folder: '/sys/fs/cgroup/systemd', controllers: ['name=systemd'] },
    { version: 2, folder: '/sys/fs/cgroup/unified', controllers: ['cpu', 'memory'] },
  ]);
});

test('a folder with a space, and none at all', (t) => {
  t.is(found(line('/a\\040b', 'cgroup2', 'rw'))[0]?.folder, '/a b');
  t.deepEqual(found(line('/', 'ext4', 'rw'), ''), []);
});

test('limits as the files of both versions', (t) => {
  const resources = {
    devices: [
      { allow: false, access: 'rwm' },
      { allow: true, type: 'c' as const, major: 136, access: 'rwm' },
    ],
    memory: { limit: 1000, swap: 3000 },
    cpu: { quota: 50_000, period: 100_000 },
    pids: { limit: 7 },
  };
  const texts = (settings: readonly { file: string; value: string }[]) => settings.map((s) => `${s.file}=${s.value}`);
  t.deepEqual(texts(settingsV1(resources)), [
    ...['memory.limit_in_bytes=1000', 'memory.memsw.limit_in_bytes=3000'],
    ...[
      'cpu.cfs_period_us=100000',
      'cpu.cfs_quota_us=50000',
      'pids.max=7',
      'devices.deny=a',
      'devices.allow=c 136:* rwm',
    ],
  ]);
  t.deepEqual(texts(settingsV2(resources)), [
    ...['memory.max=1000', 'memory.swap.max=2000', 'cpu.max=50000 100000', 'pids.max=7'],
  ]);
  t.deepEqual(settingsV2({ devices: [] }), []);
});
