import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'ava';
import { readCgroups, unifiedRoot } from '../../../src/runtime/machine/cgroups.ts';
import { findCniPlugins } from '../../../src/runtime/machine/cni-plugins.ts';
import { probeIa32, smallestProgram } from '../../../src/runtime/machine/ia32.ts';
import { countIds, subordinateRanges } from '../../../src/runtime/machine/subordinate-ids.ts';
import { vsyscallMode } from '../../../src/runtime/machine/vsyscall.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const page = (mode: string): string =>
  `7ffd000-7ffe000 r-xp 00000000 00:00 0                          [vdso]\nffffffffff600000-ffffffffff601000 ${mode} 00000000 00:00 0                  [vsyscall]\n`;

test('the vsyscall page is told from the mode of its mapping', (t) => {
  t.is(vsyscallMode(page('r-xp'), 'x86_64'), 'emulate');
  t.is(vsyscallMode(page('--xp'), 'x86_64'), 'xonly');
  t.is(vsyscallMode('7ffd000-7ffe000 r-xp 00000000 00:00 0 [vdso]\n', 'x86_64'), 'none');
  t.is(vsyscallMode('', 'aarch64'), 'not needed');
});

const V1 = (options: string) => `30 25 0:26 / /sys/fs/cgroup/x rw,relatime shared:9 - cgroup cgroup rw,${options}`;
const V2 = (place: string) => `31 25 0:27 / ${place} rw,relatime - cgroup2 cgroup2 rw,nsdelegate`;

test('cgroups: v1, v2, hybrid and none', (t) => {
  t.deepEqual(readCgroups(`${V1('cpu,cpuacct')}\n${V1('xattr,name=systemd')}\n`, ''), {
    mode: 'v1',
    controllers: ['cpu', 'cpuacct'],
    systemdHierarchy: true,
  });
  t.deepEqual(readCgroups(V2('/sys/fs/cgroup'), 'cpuset cpu io memory pids\n'), {
    mode: 'v2',
    controllers: ['cpu', 'cpuset', 'io', 'memory', 'pids'],
    systemdHierarchy: false,
  });
  const hybrid = `${V1('memory')}\n${V1('name=systemd')}\n${V2('/sys/fs/cgroup/unified')}`;
  t.is(readCgroups(hybrid, '').mode, 'hybrid');
  t.is(unifiedRoot(hybrid), '/sys/fs/cgroup/unified');
  // As Devuan and old Ubuntu have it: nothing but systemd's own hierarchy beside the unified one.
  t.is(readCgroups(`${V1('name=systemd')}\n${V2('/sys/fs/cgroup')}`, 'memory').mode, 'v2');
  t.deepEqual(readCgroups('22 1 8:1 / / rw - ext4 /dev/sda1 rw', ''), {
    mode: 'none',
    controllers: [],
    systemdHierarchy: false,
  });
});

test('subordinate ids are added up by name and by number, and nobody else is counted', (t) => {
  const text = '# comment\nann:100000:65536\nbob:165536:65536\n1000:300000:1000\nann:oops:x\nann:1:\n';
  const own = subordinateRanges(text, { name: 'ann', id: 1000 });
  t.deepEqual(own, [
    { first: 100_000, count: 65_536 },
    { first: 300_000, count: 1000 },
  ]);
  t.is(countIds(own), 66_536);
  t.deepEqual(subordinateRanges(text, { name: 'carl', id: 7 }), []);
});

test('CNI plugins: those that are there, and those that are missing', (t) => {
  const there = new Map([
    ['bridge', '/opt/cni/bin/bridge'],
    ['host-local', '/opt/cni/bin/host-local'],
  ]);
  const found = findCniPlugins((name) => there.get(name));
  t.is(found.folder, '/opt/cni/bin');
  t.deepEqual(found.found, ['bridge', 'host-local']);
  t.true(found.missing.includes('portmap'));
  t.is(findCniPlugins(() => undefined).folder, null);
});

test('the program that tries 32 bits is one', async (t) => {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'exit');
  writeFileSync(file, smallestProgram(), { mode: 0o755 });
  // The kernel's own word: one that runs no 32-bit programs answers ENOEXEC.
  const run = (): boolean => {
    try {
      execFileSync(file);
      return true;
    } catch {
      return false;
    }
  };
  t.is((await probeIa32(folder)).able, run());
});
