/** The files that recipes look at, as systems of many years have them; a value is a text, or where a symbolic link leads. */
import type { Tree } from './runtime-image.ts';

const PAM = {
  'etc/pam.d/sshd': `auth include system-auth
session required pam_selinux.so close
session required pam_loginuid.so
session include system-auth
`,
};

const COMMON: Tree = {
  'etc/fstab': '# disks\nLABEL=root / ext3 defaults 1 1\nLABEL=swap swap swap defaults 0 0\n',
  'etc/mtab': '/dev/sda1 / ext3 rw 0 0\n',
  'etc/securetty': 'tty1\n',
  'etc/ssh/ssh_host_rsa_key': 'PRIVATE\n',
  'etc/ssh/ssh_host_rsa_key.pub': 'public\n',
  'etc/udev/rules.d/70-persistent-net.rules': 'SUBSYSTEM=="net"\n',
  'etc/udev/rules.d/50-app.rules': 'kept\n',
  ...PAM,
};

const RC_SYSINIT = `#!/bin/bash
HOSTNAME=\`/bin/hostname\`
[ -x /sbin/start_udev ] && /sbin/start_udev
if [ -x /sbin/hwclock ]; then
  /sbin/hwclock $CLOCKFLAGS
fi
action $"Remounting root filesystem in read-write mode: " mount -n -o remount,rw /
[ -L /etc/mtab ] || mount -f /
  initlog -c "fsck -T -a $rootdev $fsckoptions"
  fsck -T -R -A -a $fsckoptions
[ -x /sbin/fsck ] && rm -f /fastboot
# /sbin/start_udev is not here
`;

const HALT =
  '#!/bin/bash\n[ -x /sbin/hwclock ] && action $"Syncing" /sbin/hwclock --systohc\nswapoff -a\n/sbin/halt -d -f -i -p\n';

const EL: Tree = {
  ...COMMON,
  'etc/selinux/config': 'SELINUX=enforcing\nSELINUXTYPE=targeted\n',
  'etc/sysconfig/network': 'NETWORKING=yes\nHOSTNAME=old.example\n',
  'etc/sysconfig/network-scripts/ifcfg-eth0': 'DEVICE=eth0\nONBOOT=yes\nBOOTPROTO=dhcp\n',
  'etc/sysconfig/network-scripts/ifcfg-lo': 'DEVICE=lo\nONBOOT=yes\n',
  'etc/sysconfig/network-scripts/ifup-eth': '#!/bin/sh\n',
};

const EL_SYSV: Tree = {
  ...EL,
  'etc/rc.d/rc.sysinit': RC_SYSINIT,
  'etc/rc.sysinit': { link: 'rc.d/rc.sysinit' },
  'etc/rc.d/init.d/halt': HALT,
  'etc/init.d': { link: 'rc.d/init.d' },
  'etc/rc.d/rc3.d/S10network': { link: '../init.d/network' },
  'etc/rc.d/rc3.d/S55sshd': { link: '../init.d/sshd' },
  'etc/rc.d/rc3.d/S80sendmail': { link: '../init.d/sendmail' },
  'etc/rc3.d': { link: 'rc.d/rc3.d' },
  'sbin/init': 'ELF',
  'sbin/mingetty': 'ELF',
  'etc/sysconfig/iptables-config': 'IPTABLES_MODULES="ip_conntrack_netbios_ns"\n',
};

const INITTAB = `id:5:initdefault:
si::sysinit:/etc/rc.d/rc.sysinit
l3:3:wait:/etc/rc.d/rc 3
ca::ctrlaltdel:/sbin/shutdown -t3 -r now
pf::powerfail:/sbin/shutdown -f -h +2 "Power Failure"
pr:12345:powerokwait:/sbin/shutdown -c "Power Restored"
1:2345:respawn:/sbin/mingetty tty1
6:2345:respawn:/sbin/mingetty tty6
x:5:respawn:/etc/X11/prefdm -nodaemon
ap:35:respawn:/opt/app/bin/agent
`;

const SYSTEMD_UNITS = [
  'systemd-udevd.service',
  'systemd-remount-fs.service',
  'kmod-static-nodes.service',
  'tmp.mount',
  'getty@.service',
  'multi-user.target',
];

function units(folder: string): Tree {
  return Object.fromEntries(SYSTEMD_UNITS.map((name) => [`${folder}/systemd/system/${name}`, '[Unit]\n']));
}

/** By the name that p2c has for each. */
export const SYSTEMS: Readonly<Record<string, Tree>> = {
  'el4 (sysvinit)': { ...EL_SYSV, 'etc/redhat-release': 'CentOS release 4.9 (Final)\n', 'etc/inittab': INITTAB },
  'el5 (sysvinit)': {
    ...EL_SYSV,
    'etc/redhat-release': 'Red Hat Enterprise Linux Server release 5.11 (Tikanga)\n',
    'etc/inittab': INITTAB,
  },
  'el6 (upstart)': {
    ...EL_SYSV,
    'etc/redhat-release': 'CentOS release 6.10 (Final)\n',
    'etc/inittab': '# upstart\nid:5:initdefault:\n',
    'etc/init/rc.conf': 'start on runlevel\n',
    'etc/init/rcS.conf': 'start on startup\n',
    'etc/init/tty.conf': 'exec /sbin/mingetty $TTY\n',
    'etc/init/start-ttys.conf': 'start on stopped rc\n',
    'etc/init/quit-plymouth.conf': 'exec plymouth quit\n',
    'etc/sysconfig/init': 'BOOTUP=color\nACTIVE_CONSOLES=/dev/tty[1-6]\n',
  },
  'el7 (systemd)': {
    ...EL,
    'etc/os-release': 'ID="centos"\nID_LIKE="rhel fedora"\nVERSION_ID="7"\n',
    'usr/sbin/init': { link: '../lib/systemd/systemd' },
    'usr/lib/systemd/systemd': 'ELF',
    sbin: { link: 'usr/sbin' },
    lib: { link: 'usr/lib' },
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    'etc/systemd/system/default.target': { link: '/lib/systemd/system/graphical.target' },
    'usr/lib/systemd/system/kdump.service': '[Unit]\n',
    'etc/systemd/system/srv-data.mount': '[Mount]\nWhat=/dev/sdb1\nWhere=/srv/data\n',
    ...units('usr/lib'),
  },
  'debian12 (sysvinit)': {
    ...COMMON,
    'etc/os-release': 'ID=debian\nVERSION_ID="12"\n',
    'sbin/init': 'ELF',
    'sbin/getty': { link: 'agetty' },
    'sbin/agetty': 'ELF',
    'etc/inittab': `id:2:initdefault:
si::sysinit:/etc/init.d/rcS
l2:2:wait:/etc/init.d/rc 2
pf::powerwait:/etc/init.d/powerfail start
1:2345:respawn:/sbin/getty --noclear 38400 tty1
`,
    'etc/rcS.d/S02hostname.sh': { link: '../init.d/hostname.sh' },
    'etc/rcS.d/S06checkroot.sh': { link: '../init.d/checkroot.sh' },
    'etc/rc2.d/S01nginx': { link: '../init.d/nginx' },
    'etc/rc0.d/K01nginx': { link: '../init.d/nginx' },
    'etc/rc0.d/S09umountroot': { link: '../init.d/umountroot' },
    'etc/network/interfaces': 'auto lo eth0\niface lo inet loopback\niface eth0 inet static\n  address 10.0.0.2/24\n',
    'etc/default/rcS': 'TMPTIME=0\n',
    'etc/modules': 'loop\n',
  },
  'debian9 (systemd)': {
    ...COMMON,
    'etc/os-release': 'ID=debian\nVERSION_ID="9"\n',
    'sbin/init': { link: '/lib/systemd/systemd' },
    'lib/systemd/systemd': 'ELF',
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    'var/lib/dbus/machine-id': '0123456789abcdef0123456789abcdef\n',
    'etc/resolv.conf': { link: '/run/systemd/resolve/stub-resolv.conf' },
    'etc/dhcpcd.conf': 'hostname\ninterface eth0\nstatic ip_address=10.0.0.2/24\n',
    'lib/systemd/system/dhcpcd.service': '[Unit]\n',
    'etc/NetworkManager/system-connections/eth0': '[connection] \r\nid=eth0\r\n[ipv4]\r\nmethod=manual\r\n',
    'etc/systemd/network/10-eth.network': '[Match]\nName=eth0\n[Network]\nDHCP=yes\n',
    ...units('lib'),
  },
  'ubuntu12 (upstart)': {
    ...COMMON,
    'etc/lsb-release': 'DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=12.04\n',
    'etc/debian_version': 'wheezy/sid\n',
    'sbin/init': 'ELF',
    'etc/init/rc-sysinit.conf':
      'start on (filesystem and static-network-up) or failsafe-boot\nenv DEFAULT_RUNLEVEL=2\n',
    'etc/init/mountall.conf': 'start on startup\n',
    'etc/init/tty1.conf': 'exec /sbin/getty -8 38400 tty1\n',
    'etc/init/udev.conf': 'start on virtual-filesystems\n',
    'etc/init/ssh.conf': 'start on filesystem\n',
    'run/lock/x': '',
  },
  'ubuntu20 (systemd)': {
    ...COMMON,
    'etc/os-release': 'ID=ubuntu\nID_LIKE=debian\nVERSION_ID="20.04"\n',
    'usr/sbin/init': { link: '/lib/systemd/systemd' },
    sbin: { link: 'usr/sbin' },
    lib: { link: 'usr/lib' },
    'usr/lib/systemd/systemd': 'ELF',
    'etc/netplan/50-cloud-init.yaml': 'network:\n  version: 2\n',
    ...units('usr/lib'),
  },
  'sles11 (sysvinit)': {
    ...COMMON,
    'etc/SuSE-release': 'SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n',
    'sbin/init': 'ELF',
    'sbin/mingetty': 'ELF',
    'etc/inittab': 'id:3:initdefault:\nsi::bootwait:/etc/init.d/boot\n1:2345:respawn:/sbin/mingetty --noclear tty1\n',
    'etc/HOSTNAME': 'old.example\n',
    'etc/init.d/boot.d/S01boot.udev': { link: '../boot.udev' },
    'etc/init.d/boot.d/K05boot.localfs': { link: '../boot.localfs' },
    'etc/init.d/boot.d/K06boot.own': { link: '../boot.own' },
    'etc/init.d/boot.d/S05boot.cleanup': { link: '../boot.cleanup' },
    'etc/init.d/rc3.d/S05network': { link: '../network' },
    'etc/init.d/rc3.d/S11sshd': { link: '../sshd' },
    'etc/sysconfig/boot': 'RUN_PARALLEL="yes"\n',
    'etc/sysconfig/network/ifcfg-eth0': "BOOTPROTO='dhcp'\nSTARTMODE='auto'\n",
  },
  'sles12 (systemd)': {
    ...COMMON,
    'etc/os-release': 'ID="sles"\nVERSION_ID="12.5"\n',
    'sbin/init': { link: '../usr/lib/systemd/systemd' },
    'usr/lib/systemd/systemd': 'ELF',
    'usr/lib/systemd/system/wicked.service': '[Unit]\n',
    // It has no /lib/systemd.
    'etc/systemd/system/default.target': { link: '/usr/lib/systemd/system/runlevel5.target' },
    ...units('usr/lib'),
  },
  'unknown (no init)': {
    ...COMMON,
    'etc/os-release': 'ID=alpine\nVERSION_ID=3.20\n',
    'sbin/init': { link: '/bin/busybox' },
    'bin/busybox': 'ELF',
  },
};
