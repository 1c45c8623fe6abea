/** Releases, libraries and init systems of many years. */
import test from 'ava';
import { valueOr } from '../../../src/source/inspection/fact.ts';
import { readLocale, readResources, readTimeZone } from '../../../src/source/inspection/identity.ts';
import { readInit, readRunlevel, respawned } from '../../../src/source/inspection/init-system.ts';
import { readLibc, readUserlandBits } from '../../../src/source/inspection/libc.ts';
import { readRelease } from '../../../src/source/inspection/release.ts';
import { answers } from '../../helpers/answers.ts';

const RELEASES: Readonly<Record<string, [Record<string, string>, string, string, string]>> = {
  'CentOS 4': [{ 'redhat-release': 'CentOS release 4.9 (Final)\n' }, 'centos', '4.9', 'redhat'],
  'RHEL 4': [
    { 'redhat-release': 'Red Hat Enterprise Linux AS release 4 (Nahant Update 8)\n' },
    'rhel',
    '4.8',
    'redhat',
  ],
  'CentOS 5': [{ 'redhat-release': 'CentOS release 5.11 (Final)\n' }, 'centos', '5.11', 'redhat'],
  'CentOS 6': [
    {
      'redhat-release': 'CentOS release 6.10 (Final)\n',
      'lsb-release': 'LSB_VERSION=base-4.0-amd64:base-4.0-noarch\n',
    },
    'centos',
    '6.10',
    'redhat',
  ],
  'CentOS 7': [
    {
      'os-release':
        'NAME="CentOS Linux"\nVERSION="7 (Core)"\nID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\nPRETTY_NAME="CentOS Linux 7 (Core)"\n',
      'redhat-release': 'CentOS Linux release 7.9.2009 (Core)\n',
    },
    'centos',
    '7',
    'redhat',
  ],
  'SLES 11': [
    { 'SuSE-release': 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n' },
    'sles',
    '11.4',
    'suse',
  ],
  'SLES 12': [
    {
      'os-release':
        'NAME="SLES"\nVERSION="12-SP5"\nVERSION_ID="12.5"\nPRETTY_NAME="SUSE Linux Enterprise Server 12 SP5"\nID="sles"\n',
    },
    'sles',
    '12.5',
    'suse',
  ],
  'Ubuntu 12.04': [
    {
      'lsb-release':
        'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\nDISTRIB_CODENAME=precise\nDISTRIB_DESCRIPTION="Ubuntu 12.04.5 LTS"\n',
      debian_version: 'wheezy/sid\n',
    },
    'ubuntu',
    '12.04',
    'debian',
  ],
  'Debian 6': [{ debian_version: '6.0.10\n' }, 'debian', '6.0.10', 'debian'],
  Alpine: [
    { 'os-release': 'NAME="Alpine Linux"\nID=alpine\nVERSION_ID=3.18.4\nPRETTY_NAME="Alpine Linux v3.18"\n' },
    'alpine',
    '3.18.4',
    'alpine',
  ],
  Slackware: [{ 'slackware-version': 'Slackware 14.2\n' }, 'slackware', '14.2', 'slackware'],
  'something odd': [{ 'os-release': "NAME='Shell \\$Words'\n" }, 'unknown', '', 'unknown'],
};

for (const [name, [texts, id, version, family]] of Object.entries(RELEASES)) {
  test(`${name} is told from its release files`, (t) => {
    const release = readRelease(answers(texts));
    t.deepEqual({ ...release, name: '' }, { name: '', id, version, family });
    t.not(release.name, '');
  });
}

test('no release file is an unknown release, said so', (t) => {
  t.deepEqual(readRelease(answers({})), { name: 'unknown', id: 'unknown', version: '', family: 'unknown' });
});

test('the C library is told by getconf, by ldd, or by its file', (t) => {
  const libc = (texts: Record<string, string>) => readLibc(answers(texts));
  t.deepEqual(libc({ getconf: 'glibc 2.3.4\n' }), { value: { kind: 'glibc', version: '2.3.4' } });
  t.deepEqual(libc({ ldd: 'ldd (GNU libc) 2.12\nCopyright (C) 2010\n' }), {
    value: { kind: 'glibc', version: '2.12' },
  });
  t.deepEqual(libc({ ldd: 'ldd (Ubuntu EGLIBC 2.15-0ubuntu10.18) 2.15\n' }), {
    value: { kind: 'glibc', version: '2.15' },
  });
  t.deepEqual(libc({ ldd: 'musl libc (x86_64)\nVersion 1.2.4\nDynamic Program Loader\n' }), {
    value: { kind: 'musl', version: '1.2.4' },
  });
  t.deepEqual(libc({ libraries: '/lib64/libc-2.5.so\n' }), { value: { kind: 'glibc', version: '2.5' } });
  t.deepEqual(libc({ libraries: '/lib/ld-uClibc-0.9.33.2.so\n' }), { value: { kind: 'uClibc', version: '0.9.33.2' } });
  t.true('unknown' in libc({}));
});

test('the width of programs is told from an ELF header, and from nothing else', (t) => {
  const bits = (elf: string) => readUserlandBits(answers({ elf }));
  t.deepEqual(bits(' 7f 45 4c 46 01 01 01 00 00 00 00 00 00 00 00 00\n 02 00 03 00\n'), { value: 32 });
  t.deepEqual(bits(' 7f 45 4c 46 02 01 01 00 00 00 00 00 00 00 00 00\n 03 00 3e 00\n'), { value: 64 });
  t.true('unknown' in bits(''));
  t.true('unknown' in bits('23 21 2f 62 69 6e'));
  t.true('unknown' in bits(' 7f 45 4c 46 07'));
});

const INITS: Readonly<Record<string, [Record<string, string>, string, string]>> = {
  'CentOS 5': [
    { 'init-exe': '/sbin/init\n', 'init-name': 'init\n', 'init-signs': '/etc/inittab\n/etc/rc.d\n' },
    'sysvinit',
    '',
  ],
  'CentOS 6': [
    {
      'init-exe': '/sbin/init\n',
      'init-signs': '/etc/init\n/etc/inittab\n/etc/rc.d\n/sbin/initctl\n',
      'upstart-version': 'init (upstart 0.6.5)\n',
    },
    'upstart',
    '0.6.5',
  ],
  'Ubuntu 12.04': [
    {
      'init-exe': '/sbin/init\n',
      'init-signs': '/etc/init\n/sbin/initctl\n',
      'upstart-version': 'init (upstart 1.5)\n',
    },
    'upstart',
    '1.5',
  ],
  'CentOS 7': [
    {
      'init-exe': '/usr/lib/systemd/systemd\n',
      'init-signs': '/run/systemd/system\n/etc/inittab\n/etc/rc.d\n',
      'systemd-version': 'systemd 219\n',
    },
    'systemd',
    '219',
  ],
  'Alpine with OpenRC': [
    { 'init-exe': '/bin/busybox\n', 'init-signs': '/run/openrc\n/etc/inittab\n/etc/runlevels\n' },
    'openrc',
    '',
  ],
  'an appliance': [{ 'init-exe': '/bin/busybox\n', 'init-signs': '/etc/inittab\n' }, 'busybox', ''],
  'not root on systemd': [
    { 'init-link': '/lib/systemd/systemd\n', 'systemd-version': 'systemd 252 (252.1)\n' },
    'systemd',
    '252',
  ],
  'an init of its own': [{ 'init-exe': '/opt/boot/start\n' }, 'unknown', ''],
};

for (const [name, [texts, kind, version]] of Object.entries(INITS)) {
  test(`init of ${name}`, (t) => {
    const init = valueOr(readInit(answers(texts)), undefined);
    t.is(String(init?.kind), kind);
    t.is(init?.version, version);
  });
}

test('an init that nothing tells is not known', (t) => {
  t.true('unknown' in readInit(answers({})));
});

test('runlevels are told in every form', (t) => {
  const level = (texts: Record<string, string>) => valueOr(readRunlevel(answers(texts)), undefined);
  t.deepEqual(level({ runlevel: 'N 3\n', inittab: 'id:5:initdefault:\nsi::sysinit:/etc/rc.d/rc.sysinit\n' }), {
    current: '3',
    boot: '5',
  });
  t.deepEqual(level({ runlevel: '         run-level 2  2019-01-01 10:00                   last=S\n' }), {
    current: '2',
    boot: '',
  });
  t.deepEqual(level({ runlevel: 'N 5\n', 'default-target': 'graphical.target\n' }), {
    current: '5',
    boot: 'graphical.target',
  });
  t.deepEqual(level({ 'default-link': '/lib/systemd/system/multi-user.target\n' }), {
    current: '',
    boot: 'multi-user.target',
  });
  t.deepEqual(level({ runlevel: 'unknown\n', 'upstart-default': '2\n' }), { current: '', boot: '2' });
  t.is(level({ runlevel: 'unknown\n' }), undefined);
});

test('what init itself keeps alive is told, but for terminals', (t) => {
  const inittab =
    '1:2345:respawn:/sbin/mingetty tty1\nx:5:respawn:/etc/X11/prefdm -nodaemon\nora:345:respawn:/opt/ora/bin/crsd\n~~:S:wait:/sbin/sulogin\n';
  t.deepEqual(respawned(answers({ inittab })), ['/etc/X11/prefdm -nodaemon', '/opt/ora/bin/crsd']);
});

test('time zone and locale are told from whichever file there is', (t) => {
  t.deepEqual(readTimeZone(answers({ localtime: '../usr/share/zoneinfo/Europe/Berlin\n', offset: 'CET +0100\n' })), {
    value: 'Europe/Berlin',
    note: 'CET +0100',
  });
  t.deepEqual(readTimeZone(answers({ clock: 'ZONE="America/New_York"\n' })), { value: 'America/New_York' });
  t.deepEqual(readTimeZone(answers({ timezone: 'Asia/Tokyo\n' })), { value: 'Asia/Tokyo' });
  t.deepEqual(readTimeZone(answers({ offset: 'UTC +0000\n' })), { value: 'UTC +0000', note: 'no file names the zone' });
  t.deepEqual(readLocale(answers({ locale: 'LANG="de_DE.UTF-8"\n' })), { value: 'de_DE.UTF-8' });
  t.deepEqual(readLocale(answers({ locale: 'RC_LANG=""\nexport LANG=C\n' })), { value: 'C' });
  t.true('unknown' in readLocale(answers({})));
});

test('memory, processors and shared memory are added up', (t) => {
  const resources = valueOr(
    readResources(
      answers({
        meminfo: 'MemTotal:      2059516 kB\nMemFree: 1 kB\nHugePages_Total:   128\nHugepagesize:     2048 kB\n',
        processors: '4\n',
        uptime: '3600.25 100.00\n',
        shm: 'tmpfs 1029756 100 1029656 1% /dev/shm\n',
        'sysv-shm': '       key      shmid perms       size  cpid\n 0 32768  1600  393216  12\n 7 1 600 1000 1\n',
      }),
    ),
    undefined,
  );
  t.deepEqual(resources, {
    memoryBytes: 2_059_516 * 1024,
    processors: 4,
    uptimeSeconds: 3600.25,
    sharedMemoryBytes: 102_400 + 394_216,
    hugePages: 128,
  });
});
