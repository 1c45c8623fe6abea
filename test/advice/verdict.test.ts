import test from 'ava';
import { type FindingLevel, judge, type Situation } from '../../src/advice/verdict.ts';
import { compareVersions } from '../../src/advice/version.ts';
import { ExitCode } from '../../src/errors.ts';
import { inspectExitCode } from '../../src/report/inspect-report.ts';
import { known, unknown } from '../../src/source/inspection/fact.ts';
import { SERVER, situation } from '../helpers/inspection.ts';

const levelOf = (of: Situation, id: string): FindingLevel | undefined =>
  judge(of).findings.find((finding) => finding.id === id)?.level;
const no = { able: false, reason: 'the kernel refuses' } as const;
const glibc = (version: string) => known({ kind: 'glibc' as const, version });

test('a server in good order works, and all that was looked at is told', (t) => {
  const { answer, findings } = judge(situation());
  t.is(answer, 'works');
  t.deepEqual([...new Set(findings.map(({ level }) => level))], ['works']);
});

test('versions are compared as numbers', (t) => {
  t.true(compareVersions('2.5', '2.14') < 0);
  t.true(compareVersions('2.14', '2.14.1') < 0);
  t.is(compareVersions('2.14', '2.14'), 0);
  t.true(compareVersions('252.1-deb', '230') > 0);
  t.true(compareVersions('', '1') < 0);
});

test('vsyscall: glibc before 2.14 does not work where this machine has none', (t) => {
  const old = { libc: glibc('2.5') };
  t.is(levelOf(situation(old, { vsyscall: 'none' }), 'vsyscall'), 'blocks');
  t.is(levelOf(situation(old, { vsyscall: 'xonly' }), 'vsyscall'), 'works');
  t.is(levelOf(situation(old, { vsyscall: 'emulate' }), 'vsyscall'), 'works');
  t.is(levelOf(situation({ libc: glibc('2.14') }, { vsyscall: 'none' }), 'vsyscall'), 'works');
  t.is(levelOf(situation({ libc: unknown('gone') }, { vsyscall: 'none' }), 'vsyscall'), 'unknown');
  t.is(levelOf(situation({ libc: glibc('') }, { vsyscall: 'none' }), 'vsyscall'), 'unknown');
  t.is(
    levelOf(situation({ libc: known({ kind: 'musl', version: '1.1' }) }, { vsyscall: 'none' }), 'vsyscall'),
    undefined,
  );
  // 32-bit programs have no such page.
  t.is(levelOf(situation({ ...old, userlandBits: known(32) }, { vsyscall: 'none' }), 'vsyscall'), undefined);
  t.is(judge(situation(old, { vsyscall: 'none' })).answer, 'will not');
});

test('processors: 32 bits need the kernel for it, and other kinds another machine', (t) => {
  const narrow = { userlandBits: known(32 as const) };
  t.is(levelOf(situation(narrow), 'architecture'), 'works');
  t.is(levelOf(situation(narrow, { ia32: no }), 'architecture'), 'blocks');
  t.is(levelOf(situation({ machine: 'i686', userlandBits: unknown('?') }, { ia32: no }), 'architecture'), 'blocks');
  t.is(levelOf(situation(narrow, { ia32: { able: 'unknown', reason: 'noexec' } }), 'architecture'), 'unknown');
  t.is(levelOf(situation({ machine: 'ppc64' }), 'architecture'), 'blocks');
  t.is(levelOf(situation({ machine: 'aarch64' }, { architecture: 'aarch64' }), 'architecture'), 'works');
});

test('systemd before 230 needs cgroups of version 1', (t) => {
  const init = (version: string) => ({ init: known({ kind: 'systemd' as const, version, program: '/sbin/init' }) });
  const cgroups = (mode: 'v1' | 'v2' | 'hybrid', systemdHierarchy: boolean) => ({
    cgroups: { mode, controllers: [], systemdHierarchy },
  });
  t.is(levelOf(situation(init('219'), cgroups('v2', false)), 'systemd'), 'flag');
  t.is(levelOf(situation(init('219'), cgroups('v2', true)), 'systemd'), 'works');
  t.is(levelOf(situation(init('219'), cgroups('hybrid', true)), 'systemd'), 'works');
  t.is(levelOf(situation(init('230'), cgroups('v2', false)), 'systemd'), 'works');
  t.is(levelOf(situation(init(''), cgroups('v2', false)), 'systemd'), 'unknown');
  const { answer, findings } = judge(situation(init('219'), cgroups('v2', false)));
  t.is(answer, 'needs a flag');
  t.is(findings[0]?.flag, 'run --init services');
});

test('an init that is not adapted is gone around, and one that is not known is said', (t) => {
  t.is(levelOf(situation({ init: known({ kind: 'openrc', version: '', program: '/sbin/init' }) }), 'init'), 'flag');
  t.is(levelOf(situation({ init: unknown('closed') }), 'init'), 'unknown');
});

test('what the capture needs of the server', (t) => {
  t.is(levelOf(situation({ root: false }), 'privilege'), 'blocks');
  t.is(levelOf(situation({}, {}, { takesNames: false }), 'tar'), 'blocks');
  t.is(levelOf(situation({}, {}, { xattrsInclude: false }), 'tar'), 'look');
});

test('ids: without root they must fit in the range that the user has', (t) => {
  const users = { users: known({ accounts: 1, ofNote: [], largestId: 70_000, directories: ['sss'], loggedIn: [] }) };
  const rootless = (ids: number) => ({ root: false, subordinate: { uids: ids, gids: ids } });
  t.is(levelOf(situation(users), 'ids'), 'works');
  t.is(levelOf(situation(users, rootless(65_536)), 'ids'), 'look');
  t.is(levelOf(situation(users, rootless(100_000)), 'ids'), 'works');
  t.is(levelOf(situation(users), 'directory-users'), 'look');
});

test('what a container cannot bring is for a person to see to, or needs its device', (t) => {
  const module = { name: 'nfsd', uses: 1, meaning: 'serves NFS', foreign: false };
  t.is(levelOf(situation({ modules: known({ loaded: 1, ofNote: [module] }) }), 'modules'), 'look');
  t.is(levelOf(situation({ modules: unknown('closed') }), 'modules'), 'unknown');
  const files = { written: [], deleted: [{ path: '/opt/x', pids: [1] }], devices: [{ path: '/dev/sdb', pids: [7] }] };
  const raw = judge(situation({ openFiles: known(files) }));
  t.is(raw.findings.find(({ id }) => id === 'raw-devices')?.flag, 'run --device /dev/sdb');
  t.is(raw.findings.find(({ id }) => id === 'deleted-files')?.level, 'look');
  t.is(levelOf(situation({ licences: known([{ found: 'process lmgrd', meaning: 'FlexLM' }]) }), 'licence'), 'look');
  const containers = { engines: ['docker'], running: ['docker shop'], processes: 3, stores: ['/var/lib/docker'] };
  t.is(levelOf(situation({ containers: known(containers) }), 'containers'), 'look');
  t.is(levelOf(situation({ guards: known({ selinux: 'enforcing', appArmorProfiles: 3 }) }), 'selinux'), 'works');
  const pages = { memoryBytes: 1, processors: 1, uptimeSeconds: 1, sharedMemoryBytes: 0, hugePages: 64 };
  t.is(levelOf(situation({ resources: known(pages) }), 'huge-pages'), 'look');
});

test('space, and filesystems of other servers', (t) => {
  t.is(levelOf(situation({}, { store: { folder: '/x', freeBytes: 5e8 } }), 'space'), 'flag');
  const [root] = SERVER.volumes;
  if (root === undefined) return t.fail();
  const subvolumes = ['/', '/var', '/srv'].map((mountPoint) => ({ ...root, mountPoint, type: 'btrfs' }));
  const room = { store: { folder: '/x', freeBytes: 1.5e9 } };
  t.is(levelOf(situation({ volumes: subvolumes }, room), 'space'), 'works', 'each subvolume has the size of all');
  const nfs = { ...root, mountPoint: '/home', type: 'nfs', device: 'filer:/home', verdict: 'network' as const };
  const found = judge(situation({ volumes: [root, nfs] }));
  t.is(found.answer, 'needs a flag');
  t.is(found.findings[0]?.flag, 'run -v /home:/home');
  t.is(levelOf(situation({ volumes: [{ ...root, size: unknown('df is gone') }] }), 'space'), 'unknown');
});

test('a kernel of the years of 2.6, and a machine that runs nothing', (t) => {
  t.is(levelOf(situation({ kernel: '2.6.18-398.el5' }), 'kernel-name'), 'works');
  t.is(levelOf(situation({ kernel: '2.6.18-398.el5' }, { uname26: no }), 'kernel-name'), 'look');
  t.is(levelOf(situation({}, { overlay: no }), 'runner'), 'look');
  t.is(levelOf(situation({}, { engines: [{ name: 'namespaces', version: null, works: no }] }), 'runner'), 'look');
  t.is(levelOf(situation({}, { root: false }), 'runner'), 'look');
});

test('the exit code tells blind spots before a NO, and a NO before all is well', (t) => {
  const codeOf = (of: Situation): ExitCode => inspectExitCode({ facts: of.inspection, verdict: judge(of) });
  t.is(codeOf(situation()), ExitCode.done);
  t.is(codeOf(situation({ machine: 'ppc64' })), ExitCode.differences);
  t.is(codeOf(situation({ modules: unknown('closed') })), ExitCode.blindSpots);
  t.is(codeOf(situation({ modules: unknown('closed'), machine: 'ppc64' })), ExitCode.blindSpots);
  t.is(codeOf(situation({ root: false })), ExitCode.blindSpots);
});
