import test from 'ava';
import { describeSystem, needsOldCgroups, systemOf } from '../../src/adapt/system.ts';

/** A system by its release's files, and by what else is in its folder of systemd's programs. */
function systemWith(
  files: Readonly<Record<string, string>>,
  programs: readonly string[] = [],
): ReturnType<typeof systemOf> {
  return systemOf({
    text: (path) => files[path],
    kind: (path) => (path === '/sbin/init' ? 'file' : undefined),
    real: (path) => (path === '/sbin/init' ? '/usr/lib/systemd/systemd' : path),
    target: () => undefined,
    names: (folder) => (folder === '/usr/lib/systemd' ? ['systemd', ...programs] : []),
  });
}

function release(id: string, version: string, like = ''): Record<string, string> {
  return { '/etc/os-release': `NAME="some"\nID="${id}"\nID_LIKE="${like}"\nVERSION_ID="${version}"\n` };
}

function base(version: string): Record<string, string> {
  return { '/etc/upstream-release/lsb-release': `DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=${version}\n` };
}

/** Its release files, how p2c names it, and whether its systemd wants cgroups of version 1. */
const SYSTEMS: readonly (readonly [Readonly<Record<string, string>>, string, boolean])[] = [
  [release('centos', '7', 'rhel fedora'), 'el7', true],
  [release('rhel', '8.9', 'fedora'), 'el8', false],
  [release('rocky', '9.3', 'rhel centos fedora'), 'el9', false],
  [release('ol', '7.9'), 'el7', true],
  [release('amzn', '2', 'centos rhel fedora'), 'amzn2', true],
  [release('amzn', '2023', 'fedora'), 'amzn2023', false],
  [release('fedora', '20'), 'fedora20', true],
  [release('fedora', '24'), 'fedora24', true],
  [release('fedora', '25'), 'fedora25', false],
  [{ '/etc/redhat-release': 'Fedora release 17 (Beefy Miracle)\n' }, 'fedora17', true],
  [{ '/etc/redhat-release': 'CentOS Linux release 7.9.2009 (Core)\n' }, 'el7', true],
  [release('sles', '12.5'), 'sles12', true],
  [release('sles', '15.4', 'suse'), 'sles15', false],
  [release('opensuse', '13.2', 'suse'), 'opensuse13', true],
  [release('opensuse', '42.3', 'suse'), 'opensuse42', true],
  [release('opensuse', '20160323', 'suse'), 'opensuse20160323', false],
  [release('opensuse-leap', '15.0', 'suse opensuse'), 'opensuse-leap15', false],
  [{ '/etc/SuSE-release': 'openSUSE 12.1 (x86_64)\nVERSION = 12.1\nCODENAME = Asparagus\n' }, 'opensuse12', true],
  [release('debian', '8'), 'debian8', true],
  [release('debian', '9'), 'debian9', false],
  [{ ...release('raspbian', '8', 'debian'), '/etc/debian_version': '8.0\n' }, 'debian8', true],
  [{ ...release('linuxmint', '4', 'debian'), '/etc/debian_version': '10.9\n' }, 'debian10', false],
  [release('ubuntu', '16.04', 'debian'), 'ubuntu16', true],
  [release('ubuntu', '18.04', 'debian'), 'ubuntu18', false],
  [{ ...release('linuxmint', '18.3', 'ubuntu'), ...base('16.04') }, 'ubuntu16', true],
  [{ ...release('linuxmint', '17.3', 'debian'), ...base('14.04') }, 'ubuntu14', true],
  [release('linuxmint', '18', 'ubuntu'), 'ubuntu16', true],
  [release('linuxmint', '19.1', 'ubuntu'), 'ubuntu18', false],
  [{ ...release('elementary', '0.4', 'ubuntu'), ...base('16.04') }, 'ubuntu16', true],
  [release('arch', ''), 'unknown', false],
];

for (const [files, name, old] of SYSTEMS) {
  const [first = ''] = Object.values(files);
  test(`${name} is told from ${first.replaceAll('\n', ' ')}`, (t) => {
    const system = systemWith(files);
    t.is(describeSystem(system), `${name} (systemd)`);
    t.is(needsOldCgroups(system), old);
  });
}

test('a file that tells the release of systemd counts for more than the release of the distribution', (t) => {
  t.false(needsOldCgroups(systemWith(release('ubuntu', '16.10'), ['libsystemd-shared-231.so'])));
  t.false(needsOldCgroups(systemWith(release('el', '7', 'rhel'), ['libsystemd-shared-253.4-1.fc38.so'])));
  t.is(systemWith({}, ['libsystemd-shared-252.so', 'systemd-shutdown']).systemd, 252);
});
