/** Files that not every tar can carry: with holes, and with attributes that the source's tar does not know. */
import { execFile } from 'node:child_process';
import { copyFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

/** GNU tar as RHEL 6 has it: it does not know of extended attributes, and says so. */
const OLD_TAR = `#!/bin/sh
case "$*" in
*--help*) /bin/tar --help | grep -v -e xattrs -e acls -e selinux -e sparse-version ;;
*--xattrs*|*--sparse-version*) echo "tar: unrecognized option" >&2; exit 64 ;;
*) exec /bin/tar "$@" ;;
esac
`;

let server: LabServer | undefined;

test.before(async (t) => {
  if (!requireRoot(t)) return;
  server = await startLabServer('carrying', { suite: 'bookworm' });
  await server.exec(`mkdir -p /opt/carry && cd /opt/carry && truncate -s 1200M holes &&
    printf island | dd of=holes bs=1M seek=1100 conv=notrunc status=none && truncate -s 400G /var/log/lastlog
    cp /bin/true capable; echo x > 'odd
name'; mkdir acl`);
  const { rootDir } = server;
  await run('setcap', ['cap_net_raw=ep', `${rootDir}/opt/carry/capable`]);
  await run('setfattr', ['-n', 'user.x', '-v', '0x00fe0a', `${rootDir}/opt/carry/odd\nname`]);
  await run('setfacl', ['-m', 'u:33:rwx,d:u:33:rx', `${rootDir}/opt/carry/acl`]);
});

test.after.always(() => server?.[Symbol.asyncDispose]());

function migrate(lab: LabServer, root: string, ...more: string[]) {
  const access = ['--identity', lab.identity, '--known-hosts', lab.knownHosts, '--no-stop', '--json'];
  // The smallest capture that holds what matters.
  const small = ['--exclude', '/usr/share/**', '--exclude', '/data/**', '--exclude', '/var/lib/**'];
  const args = ['migrate', `root@${lab.address}`, ...access, ...small, '--tag', 'lab:one', ...more];
  return cli(args, { P2C_ROOT: root });
}

test.serial('--sparse pax: holes stay holes, podman takes them, and the receipt says so', async (t) => {
  if (server === undefined || !requirePrograms(t, ['podman'])) return;
  const root = await temporaryFolder(t);
  const ended = await migrate(server, root, '--sparse', 'pax');
  t.is(ended.code, 0, ended.stderr);
  t.true(JSON.parse(ended.stdout).image.size < 2 ** 30);
  const line = await cli(['image', 'receipt', 'lab:one', '--path', '/opt/carry/holes', '--ndjson'], { P2C_ROOT: root });
  t.like(JSON.parse(line.stdout), { verdict: 'fixed', fixes: ['stored as a sparse file'] });
  const held = await cli(['image', 'receipt', 'lab:one', '--check'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout);
  const script =
    'stat -c "%s %b" /opt/carry/holes; dd if=/opt/carry/holes bs=1M skip=1100 count=1 status=none | head -c 6';
  const seen = await cli(['run', '--rm', 'lab:one', 'sh', '-c', script], { P2C_ROOT: root });
  t.regex(seen.stdout, /^1258291200 [0-9]{1,4}\nisland$/);
  const folder = await temporaryFolder(t);
  const podman = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
  // podman writes the holes out.
  await run('podman', [...podman, 'pull', '-q', `oci:${root}:lab:one`], { env: { ...process.env, TMPDIR: folder } });
  const layers = join(folder, 'root/vfs/dir');
  const [layer = ''] = readdirSync(layers);
  t.is(statSync(join(layers, layer, 'opt/carry/holes')).size, 1_258_291_200);
});

test.serial('--sparse expand writes the holes, but not those of a lastlog', async (t) => {
  if (server === undefined) return;
  const root = await temporaryFolder(t);
  const ended = await migrate(server, root, '--sparse', 'expand');
  t.is(ended.code, 0, ended.stderr);
  t.true(JSON.parse(ended.stdout).image.size > 1_258_291_200);
});

test.serial(
  'without an option, a file of holes is named, and an empty lastlog takes the place of a huge one',
  async (t) => {
    if (server === undefined) return;
    const root = await temporaryFolder(t);
    const ended = await migrate(server, root);
    t.is(ended.code, 0, ended.stderr);
    const { excluded } = JSON.parse(ended.stdout);
    const examples = (rule: string) => excluded.find((item: { rule: string }) => item.rule === rule)?.examples;
    t.deepEqual(examples('sparse'), ['/opt/carry/holes']);
    t.deepEqual(examples('recreated-empty'), ['/var/log/lastlog']);
    const held = await cli(['image', 'receipt', 'lab:one', '--check'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout);
    const seen = await cli(['run', '--rm', 'lab:one', 'stat', '-c', '%s %U:%G %a', '/var/log/lastlog'], {
      P2C_ROOT: root,
    });
    t.is(seen.stdout, '0 root:utmp 664\n', seen.stderr);
  },
);

test.serial('a tar that knows no attributes: they are read beside the stream, or their loss is told', async (t) => {
  if (server === undefined || !requirePrograms(t, ['getfattr', 'getcap'])) return;
  await server.exec(
    `cat > /usr/local/bin/tar <<'EOF'\n${OLD_TAR}EOF\nchmod 755 /usr/local/bin/tar; rm -f /usr/bin/getfattr /sbin/getcap`,
  );
  const none = await migrate(server, await temporaryFolder(t));
  t.is(none.code, 3, none.stderr);
  t.regex(none.stdout, /cannot read all extended attributes/);
  copyFileSync('/usr/bin/getfattr', `${server.rootDir}/usr/bin/getfattr`);
  await server.exec('chmod 755 /usr/bin/getfattr');
  const refused = await migrate(server, await temporaryFolder(t), '--sparse', 'pax');
  t.is(refused.code, 1);
  t.regex(refused.stderr, /knows no sparse files in pax headers/);
  const root = await temporaryFolder(t);
  const ended = await migrate(server, root);
  t.is(ended.code, 0, ended.stderr);
  t.is(JSON.parse(ended.stdout).stream.anomalies['attributes read beside the stream'] >= 3, true);
  const held = await cli(['image', 'receipt', 'lab:one', '--check'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout);
  const valid = await cli(['image', 'validate', 'lab:one'], { P2C_ROOT: root });
  t.is(valid.code, 0, valid.stdout);
  const bundle = join(await temporaryFolder(t), 'bundle');
  await run('umoci', ['unpack', '--image', `${root}:lab:one`, bundle]);
  const unpacked = join(bundle, 'rootfs/opt/carry');
  const attributes = await run('getfattr', ['-R', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: unpacked });
  const there = await run('getfattr', ['-R', '-d', '-m', '-', '-e', 'hex', '.'], {
    cwd: `${server.rootDir}/opt/carry`,
  });
  const lines = (text: string): string[] =>
    text.split('\n').filter((line) => !line.includes('user.rootlesscontainers'));
  t.deepEqual(lines(attributes.stdout).sort(), lines(there.stdout).sort());
});
