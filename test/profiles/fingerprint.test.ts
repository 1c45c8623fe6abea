import test from 'ava';
import {
  differences,
  type Fingerprint,
  listeningPorts,
  parseFingerprint,
  takeFingerprint,
} from '../../src/profiles/fingerprint.ts';
import { failure } from '../helpers/failure.ts';

/** A process as grep shows it. */
function status(pid: number, name: string, parent: number, more: { state?: string; nspid?: string } = {}): string {
  const file = `/proc/${pid}/status`;
  return [
    `${file}:Name:\t${name}`,
    `${file}:State:\t${more.state ?? 'S (sleeping)'}`,
    `${file}:PPid:\t${parent}`,
    `${file}:NSpid:\t${more.nspid ?? pid}`,
  ].join('\n');
}

function programs(...lines: string[]): string[] {
  return [...parseFingerprint(['== processes', ...lines, '== tcp'].join('\n')).processes].sort();
}

test('an answer that was cut short is none', async (t) => {
  const stdout = Buffer.from('== processes\n== tcp\n');
  const run = () => Promise.resolve({ code: 137, stdout, stderr: 'Killed\n', durationMs: 0 });
  const error = await failure(takeFingerprint({ run }));
  t.is(error.code, 'source.fingerprint');
  t.regex(error.message, /not told to the end \(exit code 137\)/);
  t.like(error.cause, { message: 'Killed' });
});

test('programs are those that init started, directly or through others', (t) => {
  t.deepEqual(programs(status(1, 'init', 0), status(10, 'nginx', 1), status(11, 'nginx', 10)), ['init', 'nginx']);
});

test('threads of the kernel, logins, cron jobs, the dead and those of containers are not the server', (t) => {
  t.deepEqual(
    programs(
      status(1, 'init', 0),
      status(2, 'kthreadd', 0),
      status(3, 'kworker/0:1', 2),
      status(20, 'sshd', 1),
      status(21, 'sshd', 20),
      status(22, 'bash', 21),
      status(23, 'vim', 22),
      status(30, 'cron', 1),
      status(31, 'backup', 30),
      status(40, 'gone', 1, { state: 'Z (zombie)' }),
      status(50, 'dockerd', 1),
      status(51, 'mysqld', 50, { nspid: '51\t1' }),
    ),
    ['cron', 'dockerd', 'init', 'sshd'],
  );
});

test('a circle of parents ends, and names of hostile programs are shown harmless', (t) => {
  t.deepEqual(programs(status(1, 'init', 0), status(5, 'a', 6), status(6, 'b', 5), status(7, '\u001b[2J', 1)), [
    '\\x1b[2J',
    'init',
  ]);
});

test('listeners are told with protocol, address and port; connections and UDP ports of clients are none', (t) => {
  const output = `== tcp
   0: 0100007F:0CEA 00000000:0000 0A 00000000:00000000 00:00000000 00000000   103        0 8837 1
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 8838 1
   2: 0100007F:0CEA 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 8839 1
   3: 0100007F:0CEB 0100007F:9C40 07 00000000:00000000 00:00000000 00000000     0        0 8839 1
== udp
 100: 00000000:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9000 2
 101: 00000000:D431 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9001 2
== tcp6
   0: 00000000000000000000000000000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0 0 0 0 1 1
   1: 00000000000000000000000001000000:0016 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0 0 0 0 1 1
   2: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:0 0 0 0 1 1
rubbish
== udp6
== services`;
  t.deepEqual(
    [...parseFingerprint(output).listeners],
    ['tcp 127.0.0.1:3306', 'tcp 0.0.0.0:80', 'udp 0.0.0.0:53', 'tcp [::]:22', 'tcp [::1]:22', 'tcp [2001:db8::1]:443'],
  );
});

test('services of logins are no services of the server', (t) => {
  const { services } = parseFingerprint('== services\nnginx\nuser@0\nssh@3-10.0.0.1:22\nsystemd-hostnamed\nnginx');
  t.deepEqual([...services], ['nginx']);
});

const seen = (listeners: string[], processes: string[], services: string[]): Fingerprint => ({
  listeners: new Set(listeners),
  processes: new Set(processes),
  services: new Set(services),
});

test('what is gone is told of all kinds; what is new of listeners and services alone', (t) => {
  const before = seen(['tcp 0.0.0.0:80', 'tcp 0.0.0.0:22'], ['nginx', 'worker'], ['nginx', 'worker']);
  const after = seen(['tcp 0.0.0.0:22', 'tcp 0.0.0.0:81'], ['nginx', 'logrotate'], ['nginx', 'logrotate']);
  t.deepEqual(
    differences(before, after).map(({ kind, name, change }) => `${kind} ${name} ${change}`),
    [
      'listener tcp 0.0.0.0:80 gone',
      'process worker gone',
      'service worker gone',
      'listener tcp 0.0.0.0:81 new',
      'service logrotate new',
    ],
  );
  t.deepEqual(differences(before, before), []);
});

test('what is no fingerprint is an empty one', (t) => {
  const { listeners, processes, services } = parseFingerprint('\0\xff\n== \n:::\n');
  t.deepEqual([listeners.size, processes.size, services.size], [0, 0, 0]);
});

test('TCP ports are told once, in order, without those that clients get', (t) => {
  const listeners = ['tcp 0.0.0.0:80', 'tcp [::]:80', 'tcp 127.0.0.1:25', 'udp 0.0.0.0:68', 'tcp 0.0.0.0:40001'];
  t.deepEqual(listeningPorts({ listeners: new Set(listeners), processes: new Set(), services: new Set() }), [25, 80]);
});
