import test from 'ava';
import { RECIPES } from '../../src/adapt/recipes/index.ts';
import { type Adapted, adapted, appliedAgain, layerOf } from '../helpers/adapting.ts';
import { SYSTEMS } from '../helpers/system-trees.ts';

const GENERAL = ['fstab', 'mtab', 'pam', 'securetty', 'persistent-net'];

/** What is applied beside the general recipes, and what is then to be seen. */
const EXPECTED: Readonly<Record<string, { recipes: readonly string[]; see: (t: Assert, made: Adapted) => void }>> = {
  'el4 (sysvinit)': {
    recipes: ['selinux', 'hostname', 'network', 'inittab', 'rc-sysinit', 'services-off', 'ssh-host-keys'],
    see: seeElSysv,
  },
  'el5 (sysvinit)': {
    recipes: ['selinux', 'hostname', 'network', 'inittab', 'rc-sysinit', 'services-off', 'ssh-host-keys'],
    see: seeElSysv,
  },
  'el6 (upstart)': {
    recipes: ['selinux', 'hostname', 'network', 'rc-sysinit', 'upstart-el', 'services-off', 'ssh-host-keys'],
    see: (t, { after }) => {
      t.regex(after.text('/etc/init/p2c-power.conf') ?? '', /^start on power-status-changed\nexec \/sbin\/init 0$/m);
      t.deepEqual(after.matching('/etc/init', /^(?:tty|start-ttys|quit-plymouth)\.conf$/), []);
      t.regex(after.text('/etc/init/p2c-ssh-host-keys.conf') ?? '', /^start on starting rc or /m);
      t.regex(after.text('/etc/sysconfig/init') ?? '', /^ACTIVE_CONSOLES=""$/m);
      t.regex(after.text('/etc/inittab') ?? '', /^id:3:initdefault:$/m);
      t.is(after.text('/fastboot'), '');
    },
  },
  'el7 (systemd)': {
    recipes: [
      'selinux',
      'machine-id',
      'hostname',
      'network',
      'tmp-kept',
      'systemd-units',
      'services-off',
      'systemd-disks',
      'ssh-host-keys',
    ],
    see: (t, made) => {
      seeSystemd(t, made);
      for (const unit of ['kdump.service', 'srv-data.mount'])
        t.is(made.after.target(`/etc/systemd/system/${unit}`), '/dev/null', unit);
      t.is(made.after.text('/etc/machine-id'), '');
    },
  },
  'debian12 (sysvinit)': {
    recipes: ['network', 'tmp-kept', 'inittab', 'debian-boot', 'ssh-host-keys'],
    see: (t, { after }) => {
      const inittab = after.text('/etc/inittab') ?? '';
      t.regex(inittab, /^p2pf::powerfail:\/sbin\/init 0$/m);
      t.regex(inittab, /^p2co:2345:respawn:\/sbin\/getty 38400 console$/m);
      t.regex(inittab, /^p2c::bootwait:\/etc\/p2c\/boot\.d\/ssh-host-keys$/m);
      t.regex(inittab, /^l2:2:wait:/m);
      t.regex(inittab, /^#p2c# 1:2345:respawn:/m);
      t.deepEqual(after.names('/etc/rcS.d'), ['S02hostname.sh']);
      t.deepEqual(after.names('/etc/rc0.d'), ['K01nginx']);
      t.deepEqual(after.names('/etc/rc2.d'), ['S01nginx']);
      t.is(
        after.text('/etc/network/interfaces'),
        '#p2c# auto lo eth0\niface lo inet loopback\n#p2c# iface eth0 inet static\n#p2c#   address 10.0.0.2/24\nauto lo\n',
      );
      t.is(after.text('/etc/default/rcS'), 'TMPTIME=-1\n');
    },
  },
  'debian9 (systemd)': {
    recipes: ['machine-id', 'hostname', 'network', 'tmp-kept', 'systemd-units', 'ssh-host-keys'],
    see: (t, made) => {
      seeSystemd(t, made);
      t.is(made.after.kind('/var/lib/dbus/machine-id'), undefined);
      t.is(made.after.text('/etc/resolv.conf'), '');
      t.is(made.after.target('/etc/resolv.conf'), undefined);
      t.is(made.after.target('/etc/systemd/system/dhcpcd.service'), '/dev/null');
      t.is(
        made.after.text('/etc/dhcpcd.conf'),
        '#p2c# hostname\n#p2c# interface eth0\n#p2c# static ip_address=10.0.0.2/24\ndenyinterfaces *\n',
      );
      t.is(
        made.after.text('/etc/NetworkManager/system-connections/eth0'),
        '[connection] \r\nautoconnect=false\nid=eth0\r\n[ipv4]\r\nmethod=manual\r\n',
      );
      t.is(
        made.after.text('/etc/systemd/network/10-eth.network'),
        '#p2c# [Match]\n#p2c# Name=eth0\n#p2c# [Network]\n#p2c# DHCP=yes\n[Match]\nName=p2c-none\n',
      );
    },
  },
  'ubuntu12 (upstart)': {
    recipes: ['upstart-ubuntu', 'ssh-host-keys'],
    see: (t, { after }) => {
      t.deepEqual(after.names('/etc/init'), [
        'p2c-console.conf',
        'p2c-power.conf',
        'p2c-ready.conf',
        'p2c-ssh-host-keys.conf',
        'rc-sysinit.conf',
        'ssh.conf',
      ]);
    },
  },
  'ubuntu20 (systemd)': {
    recipes: ['network', 'tmp-kept', 'systemd-units', 'ssh-host-keys'],
    see: (t, made) => {
      seeSystemd(t, made);
      t.notRegex(made.after.text('/etc/netplan/50-cloud-init.yaml') ?? '', /^[^#]/m);
    },
  },
  'sles11 (sysvinit)': {
    recipes: ['hostname', 'network', 'inittab', 'suse-boot', 'services-off', 'ssh-host-keys'],
    see: (t, { after }) => {
      t.is(after.target('/etc/HOSTNAME'), 'hostname');
      t.deepEqual(after.names('/etc/init.d/boot.d'), ['K06boot.own', 'S05boot.cleanup']);
      t.deepEqual(after.names('/etc/init.d/rc3.d'), ['S11sshd']);
      t.is(after.text('/etc/sysconfig/network/ifcfg-eth0'), "BOOTPROTO='dhcp'\nSTARTMODE='off'\n");
      t.regex(after.text('/etc/inittab') ?? '', /^p2co:2345:respawn:\/sbin\/mingetty console$/m);
    },
  },
  'sles12 (systemd)': {
    recipes: ['tmp-kept', 'systemd-units', 'ssh-host-keys'],
    see: (t, made) => {
      seeSystemd(t, made);
      t.is(made.after.target('/etc/systemd/system/wicked.service'), '/dev/null');
    },
  },
  'unknown (no init)': {
    recipes: ['ssh-host-keys'],
    see: (t, { after }) => t.is(after.kind('/etc/p2c/boot.d/ssh-host-keys'), 'file'),
  },
};

type Assert = import('ava').ExecutionContext;

function seeElSysv(t: Assert, { after }: Adapted): void {
  t.is(
    after.text('/etc/rc.sysinit'),
    `#!/bin/bash
HOSTNAME=\`/bin/hostname\`
[ -x /sbin/start_udev ] && /bin/true
if [ -x /sbin/hwclock ]; then
  /bin/true $CLOCKFLAGS
fi
action $"Remounting root filesystem in read-write mode: " /bin/true
[ -L /etc/mtab ] || /bin/true
  initlog -c "/bin/true -a $rootdev $fsckoptions"
  /bin/true -R -A -a $fsckoptions
[ -x /sbin/fsck ] && rm -f /fastboot
# /sbin/start_udev is not here
`,
  );
  t.regex(
    after.text('/etc/init.d/halt') ?? '',
    /action \$"Syncing" \/bin\/true --systohc\n\/bin\/true -a\n\/sbin\/halt/,
  );
  const inittab = after.text('/etc/inittab') ?? '';
  t.regex(inittab, /^id:3:initdefault:$/m);
  t.regex(inittab, /^p2pf::powerfail:\/sbin\/shutdown -h now$/m);
  t.regex(inittab, /^p2co:2345:respawn:\/sbin\/mingetty --nohangup console$/m);
  t.regex(inittab, /^ap:35:respawn:\/opt\/app\/bin\/agent$/m);
  t.is([...inittab.matchAll(/^#p2c# /gm)].length, 5);
  t.deepEqual(after.names('/etc/rc3.d'), ['S55sshd', 'S80sendmail']);
  t.is(after.target('/etc/rc3.d'), 'rc.d/rc3.d');
  t.is(after.text('/etc/sysconfig/network'), 'NETWORKING=yes\n#p2c# HOSTNAME=old.example\n');
  t.is(after.text('/etc/sysconfig/network-scripts/ifcfg-eth0'), 'DEVICE=eth0\nONBOOT=no\nBOOTPROTO=dhcp\n');
  t.is(after.text('/etc/sysconfig/network-scripts/ifcfg-lo'), 'DEVICE=lo\nONBOOT=yes\n');
  t.is(after.text('/etc/sysconfig/iptables-config'), 'IPTABLES_MODULES=""\n');
}

function seeSystemd(t: Assert, { after }: Adapted): void {
  for (const unit of ['systemd-udevd.service', 'systemd-remount-fs.service', 'tmp.mount', 'getty@tty1.service']) {
    t.is(after.target(`/etc/systemd/system/${unit}`), '/dev/null', unit);
  }
  t.regex(after.target('/etc/systemd/system/default.target') ?? '', /\/lib\/systemd\/system\/multi-user\.target$/);
  t.is(after.kind('/etc/systemd/system/default.target'), 'file');
  t.regex(after.text('/etc/systemd/system/p2c-ssh-host-keys.service') ?? '', /^Before=ssh\.service sshd\.service/m);
  t.is(after.kind('/etc/systemd/system/multi-user.target.wants/p2c-ssh-host-keys.service'), 'file');
}

for (const [name, tree] of Object.entries(SYSTEMS)) {
  test(`${name} gets the recipes for it, and twice is the same as once`, async (t) => {
    const made = await adapted(t, [layerOf(tree)]);
    const expected = EXPECTED[name];
    t.is(made.system, name);
    t.deepEqual(
      made.recipes,
      RECIPES.map((recipe) => recipe.name).filter((each) => [...GENERAL, ...(expected?.recipes ?? [])].includes(each)),
    );
    const { after } = made;
    t.is(
      after.text('/etc/fstab'),
      '# disks\n#p2c# LABEL=root / ext3 defaults 1 1\n#p2c# LABEL=swap swap swap defaults 0 0\n',
    );
    t.is(after.target('/etc/mtab'), '/proc/self/mounts');
    t.is(after.text('/etc/securetty'), 'tty1\nconsole\npts/0\n');
    t.deepEqual(after.names('/etc/udev/rules.d'), ['50-app.rules']);
    t.deepEqual(after.names('/etc/ssh'), []);
    t.regex(
      after.text('/etc/p2c/boot.d/ssh-host-keys') ?? '',
      /^\[ -s \/etc\/ssh\/ssh_host_rsa_key \] \|\| ssh-keygen -q -t rsa /m,
    );
    t.is(
      after.text('/etc/pam.d/sshd'),
      'auth include system-auth\n#p2c# session required pam_selinux.so close\n#p2c# session required pam_loginuid.so\nsession include system-auth\n',
    );
    expected?.see(t, made);
    t.deepEqual(appliedAgain(after), []);
  });
}

test('every recipe is one of some system above', async (t) => {
  const seen = new Set<string>(GENERAL);
  // It goes by what is recorded of a server, and no file tells.
  seen.add('binds');
  for (const { recipes } of Object.values(EXPECTED)) for (const name of recipes) seen.add(name);
  t.deepEqual(
    RECIPES.map(({ name }) => name).filter((name) => !seen.has(name)),
    [],
  );
  t.is(new Set(RECIPES.map(({ name }) => name)).size, RECIPES.length);
});

test('where SUSE’s two files of a name are one, they stay one', async (t) => {
  const tree = { ...SYSTEMS['sles11 (sysvinit)'], 'etc/hostname': { link: 'HOSTNAME' } };
  const { after } = await adapted(t, [layerOf(tree)]);
  t.is(after.real('/etc/hostname'), '/etc/HOSTNAME');
  t.is(after.text('/etc/HOSTNAME'), 'old.example\n');
});

test('a recipe that is left out changes nothing', async (t) => {
  const made = await adapted(t, [layerOf(SYSTEMS['debian9 (systemd)'] ?? {})], ['ssh-host-keys', 'machine-id']);
  t.deepEqual(made.after.names('/etc/ssh'), ['ssh_host_rsa_key', 'ssh_host_rsa_key.pub']);
  t.is(made.after.kind('/etc/p2c'), undefined);
  t.is(made.after.text('/etc/machine-id'), '0123456789abcdef0123456789abcdef\n');
});
