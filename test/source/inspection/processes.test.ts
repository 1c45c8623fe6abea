import test from 'ava';
import { valueOr } from '../../../src/source/inspection/fact.ts';
import { readOpenFiles } from '../../../src/source/inspection/open-files.ts';
import { limitsSection, readLimits } from '../../../src/source/inspection/process-limits.ts';
import { readProcesses } from '../../../src/source/inspection/processes.ts';
import { redact } from '../../../src/source/inspection/redact.ts';
import { addressOf, parseSocket, readListeners } from '../../../src/source/inspection/sockets.ts';
import { answers } from '../../helpers/answers.ts';

const status = (pid: number, name: string, parent: number, more = ''): string =>
  `${pid}/status:Name:\t${name}\n${pid}/status:State:\tS (sleeping)\n${pid}/status:PPid:\t${parent}\n${pid}/status:Uid:\t0\t0\t0\t0\n${pid}/status:VmRSS:\t    1000 kB\n${more}`;

test('processes: arguments, programs, services and containers, without kernel threads and the dead', (t) => {
  const found = valueOr(
    readProcesses(
      answers({
        status: [
          status(1, 'init', 0),
          '2/status:Name:\tkthreadd\n2/status:State:\tS (sleeping)\n2/status:PPid:\t0\n2/status:Uid:\t0\t0\t0\t0\n',
          '9/status:Name:\tgone\n9/status:State:\tZ (zombie)\n9/status:PPid:\t1\n9/status:Uid:\t0\t0\t0\t0\n',
          status(50, 'nginx', 1),
          status(60, 'java', 1, '60/status:NSpid:\t60\t1\n'),
          status(70, 'odd\\nname', 1),
        ].join(''),
        cmdline:
          '1/cmdline:init [3]\0\n50/cmdline:nginx: worker\0\0\0\n60/cmdline:java\0-Dkey.storePassword=hush\0-jar\0a b.jar\0\n70/cmdline:two\n70/cmdline:lines\0\n',
        exe: '1 /sbin/init\n50 /usr/sbin/nginx (deleted)\n',
        cwd: '50 /\n',
        cgroup: '50/cgroup:1:name=systemd:/system.slice/nginx.service\n60/cgroup:4:memory:/docker/0123\n',
        io: '50/io:write_bytes: 4096\n',
      }),
    ),
    [],
  );
  t.deepEqual(
    found.map(({ pid, name, args }) => [pid, name, args]),
    [
      [1, 'init', 'init [3]'],
      [50, 'nginx', 'nginx: worker'],
      [60, 'java', 'java -Dkey.storePassword=[secret] -jar a b.jar'],
      [70, 'odd\\nname', 'two lines'],
    ],
  );
  const [, nginx, java] = found;
  t.is(nginx?.unit, 'nginx');
  t.is(nginx?.writtenBytes, 4096);
  t.is(nginx?.residentBytes, 1_024_000);
  t.is(nginx?.exe, '/usr/sbin/nginx (deleted)');
  t.false(nginx?.inContainer);
  t.true(java?.inContainer);
  t.is(java?.exe, undefined);
});

test('the inspection does not see itself, nor the connection it came by', (t) => {
  const found = readProcesses(
    answers({
      status: [
        status(10, 'sshd', 1),
        status(11, 'sshd', 10),
        status(12, 'sshd', 11),
        status(13, 'sh', 12),
        status(14, 'grep', 13),
        status(15, 'bash', 10),
      ].join(''),
      cmdline: '13/cmdline:sh\0-c\0@@p2c-inspect-12\0\n14/cmdline:grep\0\n15/cmdline:bash\0\n',
    }),
  );
  t.deepEqual(
    valueOr(found, []).map(({ pid }) => pid),
    [10, 15],
  );
});

test('no /proc is an unknown, and a list that is cut off says so', (t) => {
  t.true('unknown' in readProcesses(answers({})));
  const cut = readProcesses(
    answers({ status: `${status(1, 'init', 0)}2/status:Na`, cmdline: '1/cmdline:init\0\n' }, ['status']),
  );
  t.deepEqual('value' in cut ? cut.note : '', 'the list was too long and is cut off');
});

test('open files are sorted by what a copy makes of them', (t) => {
  const fact = readOpenFiles(
    answers({
      fds: [
        '100',
        '-w 1 /var/log/app.log',
        'rw 3 /var/lib/mysql/ibdata1',
        'r- 4 /etc/passwd',
        'rw 5 socket:[4242]',
        'rw 6 /var/lib/mysql/tmp (deleted)',
        'rw 7 /dev/sdb1',
        'rw 8 /dev/raw/raw1',
        'rw 9 /dev/tty1',
        'rw 10 /memfd:x (deleted)',
        'rw 11 /SYSV00000000 (deleted)',
        '200',
        '-w 1 /var/log/app.log',
        'rw 2 socket:[4242]',
        'rw 3 /srv/with -> arrow',
      ].join('\n'),
    }),
  );
  const files = valueOr(fact, undefined);
  t.deepEqual(
    files?.written.map(({ path, pids }) => [path, pids]),
    [
      ['/srv/with -> arrow', [200]],
      ['/var/lib/mysql/ibdata1', [100]],
      ['/var/log/app.log', [100, 200]],
    ],
  );
  t.deepEqual(
    files?.deleted.map(({ path }) => path),
    ['/var/lib/mysql/tmp'],
  );
  t.deepEqual(
    files?.devices.map(({ path }) => path),
    ['/dev/raw/raw1', '/dev/sdb1'],
  );
  t.deepEqual(files?.socketOwners.get('4242'), [100, 200]);
  const partial = readOpenFiles(answers({ fds: '100\n-w 1 /x\n', closed: 'closed\n' }));
  t.regex('value' in partial ? (partial.note ?? '') : '', /not root/);
});

const TCP =
  '   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4242 1 f5b0 100 0 0 10 0\n';
const TCP6 =
  '   1: 00000000000000000000000001000000:0CEA 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000   104        0 77 1 0 100\n';

test('listeners come from the kernel tables, with their owners', (t) => {
  const files = readOpenFiles(answers({ fds: '50\nrw 6 socket:[4242]\n51\nrw 6 socket:[4242]\n' }));
  const processes = valueOr(readProcesses(answers({ status: status(50, 'nginx', 1) + status(51, 'nginx', 50) })), []);
  const found = readListeners(
    answers({ tcp: `table\n${TCP}${TCP}`, tcp6: `table\n${TCP6}`, udp: 'table\n', udp6: '' }),
    files,
    processes,
  );
  t.deepEqual(valueOr(found, []), [
    {
      protocol: 'tcp',
      address: '0.0.0.0',
      port: 80,
      owners: [
        { pid: 50, name: 'nginx' },
        { pid: 51, name: 'nginx' },
      ],
    },
    { protocol: 'tcp', address: '::1', port: 3306, owners: [] },
  ]);
});

test('a socket with very many descriptors, and a table that names it again and again', (t) => {
  const descriptors = Array.from({ length: 100_000 }, (_, index) => `${index + 1}\nrw 1 socket:[7]\nrw 2 socket:[7]\n`);
  const files = readOpenFiles(answers({ fds: descriptors.join('') }));
  if (!('value' in files)) return t.fail();
  t.is(files.value.socketOwners.get('7')?.length, 100_000);
  const socket = (port: number): string =>
    `0: 00000000:${port.toString(16).toUpperCase().padStart(4, '0')} 00000000:0000 0A 0:0 0:0 0 0 0 7 1\n`;
  const tcp = `table\n${Array.from({ length: 3000 }, (_, index) => socket(1 + (index % 2000))).join('')}`;
  const statuses = Array.from({ length: 10 }, (_, index) => status(index + 1, 'busy', 1));
  const processes = valueOr(readProcesses(answers({ status: statuses.join('') })), []);
  const listeners = readListeners(answers({ tcp }), files, processes);
  if (!('value' in listeners)) return t.fail();
  t.is(listeners.value.length, 2000);
  t.is(
    listeners.value.reduce((sum, { owners }) => sum + owners.length, 0),
    10,
  );
});

test('where /proc/net is closed, ss or netstat is read', (t) => {
  const none = readOpenFiles(answers({}));
  const ss =
    'Netid  State   Recv-Q  Send-Q   Local Address:Port   Peer Address:Port\nudp    UNCONN  0  0  127.0.0.1:323  0.0.0.0:*\ntcp    LISTEN  0  128  [::]:22  [::]:*\ntcp    LISTEN  0  128  *:80  *:*\n';
  t.deepEqual(
    valueOr(readListeners(answers({ ss }), none, []), []).map(
      ({ protocol, address, port }) => `${protocol} ${address} ${port}`,
    ),
    ['tcp :: 22', 'tcp 0.0.0.0 80', 'udp 127.0.0.1 323'],
  );
  const netstat =
    'Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address  Foreign Address  State\ntcp        0      0 0.0.0.0:22   0.0.0.0:*   LISTEN\ntcp        0      0 :::80   :::*   LISTEN\nudp        0      0 0.0.0.0:68   0.0.0.0:*\n';
  t.deepEqual(
    valueOr(readListeners(answers({ ss: netstat }), none, []), []).map(
      ({ protocol, address, port }) => `${protocol} ${address} ${port}`,
    ),
    ['tcp 0.0.0.0 22', 'udp 0.0.0.0 68', 'tcp :: 80'],
  );
  t.true('unknown' in readListeners(answers({}), none, []));
});

test('addresses of the kernel tables are written as people write them', (t) => {
  t.is(addressOf('0100007F'), '127.0.0.1');
  t.is(addressOf('00000000000000000000000000000000'), '::');
  t.is(addressOf('0000000000000000FFFF00000100007F'), '127.0.0.1');
  t.is(addressOf('000080FE00000000FF022AB230FE0BB4'), 'fe80::b22a:2ff:b40b:fe30');
  t.is(parseSocket('not a line'), undefined);
  t.is(parseSocket('0: ZZ:0050 0 0A 0 0 0 0 0 1'), undefined);
});

test('limits of processes', (t) => {
  t.is(limitsSection([]).script, 'true');
  const found = readLimits(
    answers({
      limits:
        '7/limits:Max open files            1024                 4096                 files     \n7/limits:Max locked memory         unlimited            unlimited            bytes     \n7/limits:Max nonsense  1 2\nx\n',
    }),
  );
  t.deepEqual(found, [{ pid: 7, limits: { nofile: { soft: 1024, hard: 4096 }, memlock: { soft: -1, hard: -1 } } }]);
});

test('what looks like a password never gets into a report', (t) => {
  const cases: [string, string][] = [
    ['mysqld --port=3306 --password=hush', 'mysqld --port=3306 --password=[secret]'],
    ['mysql -u root -phush shop', 'mysql -u root -p[secret] shop'],
    ['mysqldump --protocol tcp --port 3306', 'mysqldump --protocol tcp --port 3306'],
    [
      'java -Djavax.net.ssl.keyStorePassword=hush -Dapi.key=k1 -jar x',
      'java -Djavax.net.ssl.keyStorePassword=[secret] -Dapi.key=[secret] -jar x',
    ],
    ['curl http://user:hush@host/x', 'curl http://user:[secret]@host/x'],
    ["DB_TOKEN='a b' run --secret hush", 'DB_TOKEN=[secret] run --secret [secret]'],
    ['backup --passphrase-file=/etc/key', 'backup --passphrase-file=/etc/key'],
    ['nginx: master process /usr/sbin/nginx', 'nginx: master process /usr/sbin/nginx'],
    ['/usr/bin/passwd', '/usr/bin/passwd'],
  ];
  for (const [text, safe] of cases) t.is(redact(text), safe);
});
