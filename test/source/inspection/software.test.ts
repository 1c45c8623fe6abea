/** Packages, modules, licences, containers, users, and where databases keep their data. */

import test from 'ava';
import { readContainers, readPlatform } from '../../../src/source/inspection/containers.ts';
import {
  dataSections,
  presentDirectories,
  readDataDirectories,
} from '../../../src/source/inspection/data-directories.ts';
import { known, unknown, valueOr } from '../../../src/source/inspection/fact.ts';
import { readLicences } from '../../../src/source/inspection/licences.ts';
import { readModules } from '../../../src/source/inspection/modules.ts';
import { readNetwork } from '../../../src/source/inspection/network.ts';
import { ownerOf, ownerSections, readOwners, readPackages } from '../../../src/source/inspection/packages.ts';
import { readGuards } from '../../../src/source/inspection/security.ts';
import { readUsers } from '../../../src/source/inspection/users.ts';
import { answers } from '../../helpers/answers.ts';
import { serverProcess } from '../../helpers/inspection.ts';

test('packages by every manager', (t) => {
  const listed = (packages: string) => {
    const found = valueOr(readPackages(answers({ packages })), undefined);
    return found === undefined
      ? []
      : [found.manager, ...found.installed.map(({ name, version }) => `${name}=${version}`)];
  };
  t.deepEqual(listed('dpkg\nnginx\t1.22.1-9\nlibc6\t2.36\n'), ['dpkg', 'nginx=1.22.1-9', 'libc6=2.36']);
  t.deepEqual(listed('rpm\nhttpd\t2.2.3-92.el5\ngpg-pubkey\te8562897-459f\n'), ['rpm', 'httpd=2.2.3-92.el5']);
  t.deepEqual(listed('apk\nmusl\t1.2.4-r1\n'), ['apk', 'musl=1.2.4-r1']);
  t.deepEqual(listed('slackware\naaa_base-14.2-x86_64-2\n'), ['slackware', 'aaa_base=14.2']);
  t.deepEqual(listed('portage\nsys-apps/sed\t4.8\n'), ['portage', 'sys-apps/sed=4.8']);
  t.true('unknown' in readPackages(answers({})));
  t.true('unknown' in readPackages(answers({ packages: 'nonsense\n' })));
});

test('who brought a program', (t) => {
  const dpkg = readOwners(
    'dpkg',
    answers({
      'owners-0':
        'nginx-light: /usr/sbin/nginx\nsysvinit-core: /sbin/init\nlibc6:amd64: /lib/x.so\ndiversion by dash from: /bin/sh\n',
    }),
  );
  t.is(ownerOf(dpkg, '/usr/sbin/nginx'), 'nginx-light');
  t.is(ownerOf(dpkg, '/usr/sbin/init'), 'sysvinit-core');
  t.is(ownerOf(dpkg, '/lib/x.so'), 'libc6');
  t.is(ownerOf(dpkg, '/bin/sh'), null);
  t.is(ownerOf(dpkg, undefined), null);
  const rpm = readOwners(
    'rpm',
    answers({ 'owners-0': '/usr/sbin/httpd: httpd\n/opt/x: file /opt/x is not owned by any package\n' }),
  );
  t.deepEqual([...rpm], [['/usr/sbin/httpd', 'httpd']]);
  const apk = readOwners('apk', answers({ 'owners-0': '/usr/sbin/nginx is owned by nginx-mod-1.20.2-r1\n' }));
  t.deepEqual([...apk], [['/usr/sbin/nginx', 'nginx-mod']]);
  t.deepEqual(ownerSections('slackware', ['/bin/sh']), []);
  t.deepEqual(ownerSections('rpm', []), []);
  t.true(ownerSections('rpm', ["/opt/a'b"])[0]?.script.includes(`'/opt/a'\\''b'`));
});

test('kernel modules: those in use that a container cannot bring', (t) => {
  const text = `nfsd 300000 13 - Live 0xffffffff
nfs 200000 0 - Live 0xffffffff
bonding 100000 0 - Live 0xffffffff
ext4 400000 2 - Live 0xffffffff
vmmemctl 20000 0 - Live 0xffffffff (O)
oracleasm 90000 1 - Live 0xffffffff (P)
ip_tables 30000 1 iptable_filter, Live 0xffffffff
end
`;
  const modules = valueOr(readModules(answers({ modules: text })), undefined);
  t.is(modules?.loaded, 7);
  t.deepEqual(
    modules?.ofNote.map(({ name, foreign }) => [name, foreign]),
    [
      ['nfsd', false],
      ['bonding', false],
      ['vmmemctl', true],
      ['oracleasm', true],
    ],
  );
  t.deepEqual(readModules(answers({ modules: 'end\n' })), { value: { loaded: 0, ofNote: [] } });
  t.true('unknown' in readModules(answers({})));
});

test('licences: servers, dongles and files', (t) => {
  const text = {
    usb: '0529:0001 HASP 2.17\n1d6b:0002 EHCI\n',
    'licence-files': '/opt/app/app.lic\n/usr/sbin/aksusbd_x86_64\n',
  };
  const found = valueOr(readLicences(answers(text), known([serverProcess('lmgrd'), serverProcess('nginx')])), []);
  t.deepEqual(
    found.map((sign) => sign.found),
    ['process lmgrd', 'USB 0529:0001 HASP 2.17', '/opt/app/app.lic', '/usr/sbin/aksusbd_x86_64'],
  );
  const blind = readLicences(answers({}), unknown('no /proc'));
  t.deepEqual(blind, { value: [], note: 'processes are not known: no /proc' });
});

test('containers on the server, and what the server is itself', (t) => {
  const text = {
    docker: 'shop (shop:1.2)\n',
    lxc: '/sys/fs/cgroup/memory/lxc/old\n/sys/fs/cgroup/lxc/cgroup.procs\n',
    stores: '/var/lib/docker\n',
  };
  const conmon =
    '/usr/bin/conmon --api-version 1 -c 0a1b -u 0a1b -r /usr/bin/crun -n web -p /run/pidfile --exit-dir /run';
  const processes = known([
    serverProcess('dockerd'),
    serverProcess('conmon', { args: conmon }),
    serverProcess('java', { inContainer: true }),
  ]);
  t.deepEqual(valueOr(readContainers(answers(text), processes), undefined), {
    engines: ['docker', 'podman'],
    running: ['docker shop (shop:1.2)', 'podman web', 'lxc old'],
    processes: 1,
    stores: ['/var/lib/docker'],
  });
  t.deepEqual(
    readPlatform(answers({ virtual: 'VMware, Inc.\nVMware Virtual Platform\n', hypervisor: 'hypervisor\n' })),
    {
      value: 'VMware, Inc. VMware Virtual Platform (virtual)',
    },
  );
  t.deepEqual(readPlatform(answers({ virtual: '/proc/vz/veinfo\n' })), { value: 'OpenVZ' });
  t.deepEqual(readPlatform(answers({ virtual: 'container=lxc\n' })), { value: 'container (lxc)' });
  t.deepEqual(readPlatform(answers({ virtual: 'Dell Inc.\nPowerEdge R710\n' })), { value: 'Dell Inc. PowerEdge R710' });
  t.true('unknown' in readPlatform(answers({})));
});

test('users of note, and the largest id', (t) => {
  const passwd = `root:x:0:0:root:/root:/bin/bash
toor:x:0:0::/root:/bin/sh
daemon:x:2:2:daemon:/sbin:/sbin/nologin
oracle:x:502:502::/home/oracle:/bin/bash
web:x:33:33::/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
domain:x:70001:70001::/home/d:
+::::::
broken line
`;
  const users = valueOr(
    readUsers(
      answers({
        passwd,
        group: '0\n70500\n65534\n',
        nsswitch: 'passwd:     files sss ldap\n',
        who: 'ann pts/0 2020\nann pts/1\n',
      }),
      [serverProcess('httpd', { uid: 33 })],
    ),
    undefined,
  );
  t.deepEqual(
    users?.ofNote.map(({ name, reason }) => `${name}: ${reason}`),
    ['root: root', 'toor: a second root', 'oracle: logs in', 'web: runs processes', 'domain: logs in'],
  );
  t.is(users?.largestId, 70_500);
  t.is(users?.accounts, 7);
  t.deepEqual(users?.directories, ['sss', 'ldap']);
  t.deepEqual(users?.loggedIn, ['ann']);
  t.true('unknown' in readUsers(answers({}), []));
});

test('SELinux and AppArmor', (t) => {
  t.deepEqual(readGuards(answers({ selinux: '1' })), { value: { selinux: 'enforcing', appArmorProfiles: 0 } });
  t.deepEqual(readGuards(answers({ getenforce: 'Permissive\n' })), {
    value: { selinux: 'permissive', appArmorProfiles: 0 },
  });
  t.deepEqual(readGuards(answers({ apparmor: 'Y\n', 'apparmor-profiles': '12\n' })), {
    value: { selinux: 'disabled', appArmorProfiles: 12 },
  });
  t.true('note' in readGuards(answers({ apparmor: 'Y\n' })));
});

test('addresses and routes by ip, by both forms of ifconfig, and from /proc alone', (t) => {
  const network = (texts: Record<string, string>) => {
    const found = valueOr(readNetwork(answers(texts)), undefined);
    return {
      addresses: found?.addresses.map((each) => `${each.interface} ${each.address}`),
      routes: found?.routes.map(({ to, via, interface: name }) => `${to} ${via ?? '-'} ${name}`),
    };
  };
  const route =
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\neth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\neth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n';
  t.deepEqual(
    network({
      'ip-addr':
        '1: lo    inet 127.0.0.1/8 scope host lo\n2: eth0    inet 10.0.0.4/24 brd 10.0.0.255 scope global eth0\n3: eth1@if4    inet6 fe80::1/64 scope link\n',
      'ip-route': 'default via 10.0.0.1 dev eth0 proto static\n10.0.0.0/24 dev eth0 proto kernel\n',
    }),
    {
      addresses: ['lo 127.0.0.1/8', 'eth0 10.0.0.4/24', 'eth1 fe80::1/64'],
      routes: ['default 10.0.0.1 eth0', '10.0.0.0/24 - eth0'],
    },
  );
  t.deepEqual(
    network({
      ifconfig:
        'eth0      Link encap:Ethernet  HWaddr 00:0C:29:00:00:01\n          inet addr:10.0.0.4  Bcast:10.0.0.255  Mask:255.255.255.0\n          inet6 addr: fe80::20c/64 Scope:Link\n',
      'proc-route': route,
    }),
    { addresses: ['eth0 10.0.0.4/24', 'eth0 fe80::20c/64'], routes: ['default 10.0.0.1 eth0', '10.0.0.0/24 - eth0'] },
  );
  t.deepEqual(
    network({
      ifconfig:
        'ens3: flags=4163<UP>  mtu 1500\n        inet 10.0.0.5  netmask 255.255.0.0  broadcast 10.0.255.255\n        inet6 fe80::1  prefixlen 64  scopeid 0x20<link>\n',
    }).addresses,
    ['ens3 10.0.0.5/16', 'ens3 fe80::1/64'],
  );
  t.deepEqual(
    network({
      'fib-trie':
        'Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 10.0.0.4\n        /32 host LOCAL\n     |-- 10.0.0.255\n        /32 link BROADCAST\n     |-- 127.0.0.1\n        /32 host LOCAL\n',
      'if-inet6': 'fe800000000000000000000000000001 02 40 20 80     eth0\n',
    }).addresses,
    ['? 10.0.0.4', 'lo 127.0.0.1', 'eth0 fe80::1/64'],
  );
  t.true('unknown' in readNetwork(answers({})));
});

test("databases' data: what the process says goes first, then each configuration in its own form", (t) => {
  const files = answers({
    'data-mysql':
      '/etc/my.cnf:datadir=/var/lib/mysql\n/etc/mysql/x.d/a.cnf:innodb_log_group_home_dir = "/logs/innodb/"   # fast disk\n',
    'data-postgresql':
      "/etc/postgresql/9.1/main/postgresql.conf:data_directory = '/srv/pg/9.1/main'\t\t# use data in another directory\n/etc/sysconfig/pgsql/postgresql:PGDATA=/pg2\n",
    'data-redis': '/etc/redis/redis.conf:dir /var/lib/redis\n/etc/redis.conf:dir ./\n',
    'data-mongodb': '/etc/mongod.conf:  dbPath: /var/lib/mongo\n',
    'data-openldap': '/etc/openldap/slapd.conf:directory\t/var/lib/ldap\n',
    'data-bind': '/etc/named.conf:        directory       "/var/named";\n',
    'data-oracle': '/etc/oratab:PROD:/u01/app/oracle/product/10.2.0:Y\n/etc/oratab:*:/x:N\n',
    'data-couchdb': '/etc/couchdb/local.ini:database_dir = $HOME/x\n',
  });
  const processes = known([
    serverProcess('mysqld', { pid: 7, cwd: '/srv/mysql' }),
    serverProcess('postgres', { pid: 8, cwd: undefined, args: '/usr/bin/postgres -D /pg3 -p 5433' }),
    serverProcess('redis-server', { pid: 9, cwd: '/data', inContainer: true }),
  ]);
  const found = valueOr(readDataDirectories(files, processes), []);
  t.deepEqual(
    found.map(({ application, path, from }) => [application, path, from]),
    [
      ['mysql', '/srv/mysql', 'process 7'],
      ['mysql', '/var/lib/mysql', '/etc/my.cnf'],
      ['mysql', '/logs/innodb', '/etc/mysql/x.d/a.cnf'],
      ['postgresql', '/pg3', 'process 8'],
      ['postgresql', '/srv/pg/9.1/main', '/etc/postgresql/9.1/main/postgresql.conf'],
      ['postgresql', '/pg2', '/etc/sysconfig/pgsql/postgresql'],
      ['redis', '/var/lib/redis', '/etc/redis/redis.conf'],
      ['mongodb', '/var/lib/mongo', '/etc/mongod.conf'],
      ['openldap', '/var/lib/ldap', '/etc/openldap/slapd.conf'],
      ['bind', '/var/named', '/etc/named.conf'],
      ['oracle', '/u01/app/oracle/product/10.2.0', '/etc/oratab'],
      ['oracle', '/x', '/etc/oratab'],
    ],
  );
  const there = presentDirectories(
    found,
    answers({ 'data-there': '/srv/mysql\n/pg3\n', tablespaces: '/fast/space\nrelative\n' }),
  );
  t.deepEqual(
    there.map(({ path }) => path),
    ['/srv/mysql', '/pg3', '/fast/space'],
  );
  t.deepEqual(dataSections([]), []);
});
