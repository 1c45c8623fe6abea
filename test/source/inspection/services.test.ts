import test from 'ava';
import { valueOr } from '../../../src/source/inspection/fact.ts';
import type { InitKind } from '../../../src/source/inspection/init-system.ts';
import type { ServerProcess } from '../../../src/source/inspection/processes.ts';
import { readSchedule } from '../../../src/source/inspection/schedule.ts';
import { readServices } from '../../../src/source/inspection/services.ts';
import { answers } from '../../helpers/answers.ts';
import { serverProcess } from '../../helpers/inspection.ts';

const running = (...names: string[]): ServerProcess[] =>
  names.map((name, index) => serverProcess(name, { pid: index + 10 }));

/** `name manager atBoot running`, with - for what is not known. */
function told(texts: Record<string, string>, init: InitKind, boot: string, processes: ServerProcess[] = []): string[] {
  const word = (value: boolean | null): string => (value === null ? '-' : value ? 'yes' : 'no');
  const found = valueOr(
    readServices(answers(texts), answers({ inittab: texts['inittab'] ?? '' }), init, boot, processes),
    [],
  );
  return found.map(({ name, manager, atBoot, running: runs }) => `${name} ${manager} ${word(atBoot)} ${word(runs)}`);
}

test('CentOS 5: the table of chkconfig, at the runlevel it boots into, and xinetd', (t) => {
  const chkconfig = `acpid          	0:off	1:off	2:off	3:on	4:on	5:on	6:off
httpd          	0:off	1:off	2:off	3:on	4:off	5:off	6:off
mysqld         	0:off	1:off	2:off	3:off	4:off	5:on	6:off

xinetd based services:
	tftp:          	on
`;
  const inetd = '/etc/xinetd.d/tftp\n';
  t.deepEqual(told({ chkconfig, inetd }, 'sysvinit', '3', running('httpd')), [
    'acpid sysv yes -',
    'httpd sysv yes yes',
    'mysqld sysv no -',
    'tftp inetd yes -',
  ]);
  t.true(told({ chkconfig }, 'sysvinit', '5').includes('mysqld sysv yes -'));
  t.true(told({ chkconfig }, 'sysvinit', '').includes('mysqld sysv yes -'));
});

test('SLES 11: chkconfig with another form of table', (t) => {
  const chkconfig =
    'apache2                   0:off  1:off  2:off  3:on   4:off  5:on   6:off\nxdm                       0:off  1:off  2:off  3:off  4:off  5:on   6:off\n';
  t.deepEqual(told({ chkconfig }, 'sysvinit', '3'), ['apache2 sysv yes -', 'xdm sysv no -']);
});

test('Debian with sysvinit: the links of rc, without what only sets the machine up', (t) => {
  const links =
    '/etc/rc2.d/S01cron\n/etc/rc2.d/S02nginx\n/etc/rc3.d/S02tomcat6\n/etc/rcS.d/S01hostname.sh\n/etc/rcS.d/S02udev\n';
  const scripts = '/etc/init.d/:\ncron*\nnginx*\nhostname.sh*\ntomcat6*\nslapd*\nREADME\nudev*\n';
  t.deepEqual(told({ 'rc-links': links, 'init-scripts': scripts }, 'sysvinit', '2', running('cron')), [
    'cron sysv yes yes',
    'nginx sysv yes -',
    'slapd sysv no -',
    'tomcat6 sysv no -',
    'udev sysv yes -',
  ]);
});

test('Ubuntu 12.04: jobs of upstart, and System V beside them', (t) => {
  const jobs =
    'ssh start/running, process 812\nmysql stop/waiting\ntty (tty3) start/running, process 900\nnetwork-interface (eth0) start/running\n';
  const starts =
    '/etc/init/ssh.conf:start on runlevel [2345]\n/etc/init/mysql.conf:start on runlevel [2345]\n/etc/init/mysql.conf:manual\n/etc/init/tty.conf:start on stopped rc\n';
  const links = '/etc/rc2.d/S20postfix\n';
  const found = told({ 'upstart-jobs': jobs, 'upstart-starts': starts, 'rc-links': links }, 'upstart', '2');
  t.true(found.includes('ssh upstart yes yes'));
  t.true(found.includes('mysql upstart no no'));
  t.true(found.includes('postfix sysv yes -'));
});

test('CentOS 7 and newer: what systemctl lists, in each of its forms', (t) => {
  const files =
    'httpd.service                                 enabled \nsshd.service                                  enabled         enabled\ngetty@.service                                enabled\nmariadb.service disabled\nauditd.service masked\ndbus.service static\n';
  const units =
    'httpd.service           loaded active   running The Apache HTTP Server\n\xe2\x97\x8f broken.service          loaded failed   failed  Something\n  sshd.service loaded active running OpenSSH\nrsyslog.service not-found inactive dead rsyslog.service\nuser@0.service loaded active running User Manager\n';
  t.deepEqual(told({ 'unit-files': files, units }, 'systemd', 'multi-user.target'), [
    'auditd systemd no no',
    'broken systemd - no',
    'dbus systemd - no',
    'httpd systemd yes yes',
    'mariadb systemd no no',
    'sshd systemd yes yes',
  ]);
});

test('systemd that does not answer: the links of its targets', (t) => {
  const wants = '/etc/systemd/system/multi-user.target.wants:\ncron.service\nnginx.service\nremote-fs.target\n';
  t.deepEqual(told({ wants }, 'systemd', 'multi-user.target'), ['cron systemd yes -', 'nginx systemd yes -']);
});

test('Alpine: OpenRC, and an appliance: inittab alone', (t) => {
  const openrc = '                nginx | default\n            networking | boot\n                 sshd |      \n';
  const state = ' nginx                        [  started  ]\n sshd                         [  stopped  ]\n';
  t.deepEqual(told({ openrc, 'openrc-state': state }, 'openrc', ''), [
    'networking openrc yes no',
    'nginx openrc yes yes',
    'sshd openrc no no',
  ]);
  t.deepEqual(told({ inittab: '::respawn:/usr/sbin/thttpd -D\ntty1::askfirst:/bin/sh\n' }, 'busybox', ''), [
    '/usr/sbin/thttpd inittab yes -',
  ]);
});

test('no service manager is an unknown', (t) => {
  t.true('unknown' in readServices(answers({}), answers({}), 'unknown', '', []));
});

test('what runs by the clock: system and user crontabs, directories, anacron, timers, at', (t) => {
  const jobs = valueOr(
    readSchedule(
      answers({
        crontabs: `/etc/crontab:SHELL=/bin/sh
/etc/crontab:17 *	* * *	root    cd / && run-parts /etc/cron.hourly
/etc/crontab:MAILTO = ops
/etc/cron.d/backup:@daily oracle /opt/backup --password=hush
/etc/crontabs/root:0 2 * * * /usr/bin/apk upgrade
`,
        'user-crontabs':
          '/var/spool/cron/root:*/5 * * * * /root/check\n/var/spool/cron/tabs/tomcat:0 0 1 1 * rm -rf x\n',
        anacrontab:
          '/etc/anacrontab:1\t5\tcron.daily\tnice run-parts /etc/cron.daily\n/etc/anacrontab:7 25 own /opt/weekly\n',
        periodic: '/etc/cron.daily/logrotate\n/etc/cron.daily/.placeholder\n/etc/periodic/15min/x\n',
        timers: 'fstrim.timer enabled enabled\noff.timer disabled\n',
        at: '/var/spool/at/a0000101\n',
      }),
    ),
    [],
  );
  t.deepEqual(
    jobs.map(({ from, when, what }) => [from, when, what]),
    [
      ['/etc/crontab', '17 * * * *', 'cd / && run-parts /etc/cron.hourly'],
      ['/etc/cron.d/backup', '@daily', '/opt/backup --password=[secret]'],
      ['/etc/crontabs/root', '0 2 * * *', '/usr/bin/apk upgrade'],
      ['/var/spool/cron/root', '*/5 * * * *', '/root/check'],
      ['/var/spool/cron/tabs/tomcat', '0 0 1 1 *', 'rm -rf x'],
      ['/etc/anacrontab', 'every 7 days', '/opt/weekly'],
      ['/etc/cron.daily', 'daily', '/etc/cron.daily/logrotate'],
      ['/etc/periodic/15min', '15min', '/etc/periodic/15min/x'],
      ['systemd', 'fstrim.timer', 'fstrim.service'],
      ['at', 'once', '/var/spool/at/a0000101'],
    ],
  );
  const closed = readSchedule(answers({ 'user-crontabs-closed': 'closed\n' }));
  t.regex('value' in closed ? (closed.note ?? '') : '', /not root/);
});
