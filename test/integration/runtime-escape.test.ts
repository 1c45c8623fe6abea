/** From inside a container without --privileged: what attackers try fails, whichever engine confines them. */
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onEachEngine } from '../helpers/engines.ts';
import { perlLayer, perlWords } from '../helpers/syscalls.ts';

/** Each makes one call with arguments that would work for an almighty root, and says what came of it. */
const CALLS: Readonly<Record<string, string>> = {
  keyctl: '0, -4, 1, 0, 0',
  add_key: '"user", "p2c-test", "secret", 6, -4',
  request_key: '"user", "p2c-test", 0, -4',
  bpf: '0, pack("L4 x112", 2, 4, 4, 1), 128',
  unshare: '0x10020000',
  mount: '"none", "/tmp", "tmpfs", 0, 0',
  umount2: '"/proc/sys", 2',
  pivot_root: '"/tmp", "/tmp"',
  setns: 'fileno($init), 0',
  swapon: '"/tmp/none", 0',
  syslog: '3, "x" x 64, 64',
  open_by_handle_at: 'fileno($hosts), pack("LlQ", 8, 1, 2), 0',
  ptrace: '16, $host, 0, 0',
  kexec_load: '0, 0, 0, 0',
  io_uring_setup: '1, "\\0" x 120',
  userfaultfd: '1',
  kill: '$host, 0',
  sethostname: '"evil", 4',
  socket: '40, 1, 0',
};

const PREPARED = (host: number): string => `
  my $host = ${host};
  open my $hosts, "<", "/etc/hosts" or die;
  open my $init, "<", "/proc/1/ns/uts" or open $init, "<", "/etc/hosts" or die;
`;

function attempts(host: number): string {
  const calls = Object.entries(CALLS).map(
    ([name, args]) =>
      `{ my @a = (${args}); my $r = syscall($n{${name}}, @a); print "${name} ", $r == -1 ? "failed" : "worked", "\\n"; }`,
  );
  return `${PREPARED(host)}${calls.join('\n')}`;
}

onEachEngine('calls of the kernel that reach beyond a container are refused', async (t, runner) => {
  const p2c = await runner(t, {}, {}, [await perlLayer(t)]);
  const said = await p2c.ok('run', '--rm', 'test:latest', ...perlWords(attempts(process.pid)));
  t.deepEqual(
    said.split('\n'),
    Object.keys(CALLS).map((name) => `${name} failed`),
  );
  // The same calls are no empty words: some of them work for a container that was told to be almighty.
  const almighty = await p2c.ok('run', '--rm', '--privileged', 'test:latest', ...perlWords(attempts(process.pid)));
  for (const name of ['keyctl', 'add_key', 'mount']) {
    t.true(almighty.split('\n').includes(`${name} worked`), name);
  }
});

onEachEngine('files of the kernel, devices and cgroups lead nowhere', async (t, runner) => {
  const p2c = await runner(t);
  await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
  const { dev } = statSync('/');
  const nodes = [`b ${dev >> 8} ${dev & 0xff}`, 'c 1 1', 'c 1 2', 'c 1 4', 'c 1 11', 'c 10 237', 'b 7 0'];
  const devices = nodes.flatMap((node, at) =>
    ['/tmp', '/dev', '/dev/shm', '/etc', '/root'].map(
      (place) => `mknod ${place}/n${at} ${node} && head -c 1 ${place}/n${at}`,
    ),
  );
  const writes = [
    ...['kernel/core_pattern', 'kernel/modprobe', 'kernel/hostname', 'vm/drop_caches', 'kernel/sysrq'].map(
      (name) => `/proc/sys/${name}`,
    ),
    ...['/proc/sysrq-trigger', '/proc/irq/default_smp_affinity', '/sys/kernel/uevent_helper', '/sys/power/state'],
    ...['/sys/class/net/lo/mtu'],
    ...['memory', 'pids', 'devices', 'systemd', 'unified'].flatMap((name) =>
      ['release_agent', 'cgroup.procs', 'notify_on_release', 'devices.allow', 'memory.limit_in_bytes'].map(
        (file) => `/sys/fs/cgroup/${name}/${file}`,
      ),
    ),
  ].map((path) => `echo 1 >${path}`);
  const tricks = [
    ...['mount -t cgroup -o memory x /mnt', 'mount -t proc x /mnt', 'mount -o remount,rw /proc/sys'],
    ...['mount -o remount,rw /sys', 'mount --bind / /mnt', 'umount /proc/sys', 'umount /proc/kcore'],
    ...['mkdir /sys/fs/cgroup/memory/x', 'head -c 1 /proc/kcore', 'head -c 1 /dev/mem'],
    ...['test -s /proc/keys', 'unshare -m true', 'unshare -U true', 'swapoff -a && false', 'insmod /tmp/x.ko'],
    ...['nsenter -t 1 -m true', 'hwclock -w', 'ip link add x type dummy', 'losetup /dev/loop0 /tmp'],
  ];
  const all = [...devices, ...writes, ...tricks];
  const script = all.map((one, at) => `(${one}) >/dev/null 2>&1 && echo "${at} worked"`).join('\n');
  const worked = (await p2c.ok('exec', 'c', 'sh', '-c', `${script}\ntrue`)).split('\n').filter((line) => line !== '');
  t.deepEqual(
    worked.map((line) => all[Number.parseInt(line, 10)]),
    [],
  );
});

onEachEngine(
  'nothing of this machine is found by a way out of the root, in /proc, or in open files',
  async (t, runner) => {
    const p2c = await runner(t, {}, {}, [await perlLayer(t)]);
    const canary = join(p2c.outside, 'canary');
    writeFileSync(canary, 'untouched');
    await p2c.ok('run', '-d', '--name', 'c', 'test:latest', 'sleep', '1000');
    const script = `
    mkdir "/tmp/x"; chroot "/tmp/x" or print "no chroot\\n";
    chdir ".." for 1 .. 64; chroot ".";
    print "climbed out\\n" if -e "${canary}";
    opendir my $root, "/"; my @names = readdir $root;
    for my $name (@names) { print "wrote in /$name\\n" if $name ne "c" && open my $file, ">", "/$name/p2c-planted" }
    for my $pid (1 .. 64) { print "by $pid\\n" if -e "/proc/$pid/root${canary}" || -e "/proc/$pid/cwd${canary}" }
    for my $fd (0 .. 255) { print "by $fd\\n" if -e "/proc/self/fd/$fd/..${canary}" }
    print "done\\n";
  `;
    // In its own root it may write: what counts is what lies beyond.
    const beyond = (text: string): string[] => text.split('\n').filter((line) => /climbed|^by |done/.test(line));
    t.deepEqual(beyond(await p2c.ok('exec', 'c', ...perlWords(script))), ['done']);
    t.deepEqual(beyond(await p2c.ok('run', '--rm', 'test:latest', ...perlWords(script))), ['done']);
    t.is(readFileSync(canary, 'utf8'), 'untouched');
    t.deepEqual(readdirSync(p2c.outside), ['canary']);
    t.false(existsSync('/p2c-planted'));
    t.not((await p2c.call('exec', 'c', 'test', '-e', `/proc/${process.pid}`)).code, 0);
  },
);
