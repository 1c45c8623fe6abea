import { execFile } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

/** What a user may write wrong: each is told before a connection is made (nothing listens at this address's port 1). */
const WRITTEN: readonly (readonly [what: string, args: readonly string[], message: RegExp, code: number])[] = [
  ['no target', ['migrate', '--tag', 'a'], /no target is named/, 2],
  ['two targets', ['migrate', 'a', 'b', '--tag', 'a'], /one target is expected, not 2/, 2],
  ['no tag', ['migrate', 'root@127.0.0.1:1'], /the image has no name.*\n.*--tag/, 2],
  ['a tag with capitals', ['migrate', 'root@127.0.0.1:1', '--tag', 'Lab'], /'Lab' has capital letters.*\n.*lab/, 2],
  ['a tag that is none', ['migrate', 'root@127.0.0.1:1', '--tag', 'a:b c'], /'b c' is no tag/, 2],
  [
    'a digest for a tag',
    ['migrate', 'root@127.0.0.1:1', '--tag', 'a@sha256:00'],
    /digest names an image that exists/,
    2,
  ],
  ['a target that is an option', ['audit', '--', '-oProxyCommand=x'], /does not name a server/, 2],
  ['a port beyond all', ['audit', 'root@h:99999'], /port 99999/, 2],
  ['an unknown option', ['audit', 'root@h', '--exlude', '/x'], /exlude/, 2],
  ['an unknown option of two words', ['audit', 'root@h', '--dry-run'], /there is no option --dry-run\n/, 2],
  ['an unknown verb', ['migrte'], /'migrte' is not a verb/, 2],
  ['an unknown profile', ['migrate', 'root@127.0.0.1:1', '--tag', 'a', '--profile', 'ngnix'], /ngnix.*nginx/s, 2],
  ['a pattern that is not anchored', ['audit', 'root@127.0.0.1:1', '--exclude', 'root'], /does not begin with '\/'/, 2],
  [
    'a change that is none',
    ['migrate', 'root@127.0.0.1:1', '--tag', 'a', '-c', 'USR root'],
    /'USR' is no instruction.*\n.*USER/,
    2,
  ],
  ['a lease that is none', ['migrate', 'root@127.0.0.1:1', '--tag', 'a', '--lease', '1s'], /between 10s and 1h/, 2],
  ['an inventory that is not there', ['audit', '-i', '/nonexistent.yaml'], /nonexistent\.yaml/, 2],
  ['an identity that is not there', ['audit', 'root@127.0.0.1:1', '--identity', '/no/such/key'], /no such file/, 2],
  [
    'an option of a batch with one target',
    ['migrate', 'root@127.0.0.1:1', '--tag', 'a', '--pre', 'exit 1', '--fail-fast', '--concurrency', '0'],
    /--concurrency, --fail-fast, --pre are for the hosts of an inventory.*\n.*-i FILE/,
    2,
  ],
  ['an audit with a webhook', ['audit', 'root@127.0.0.1:1', '--webhook', 'no url'], /--webhook is for the hosts of/, 2],
  ['an inspection of a limit', ['inspect', 'root@127.0.0.1:1', '--limit', 'nobody'], /--limit is for the hosts of/, 2],
  [
    'a reserve that is none',
    ['migrate', 'root@127.0.0.1:1', '--tag', 'a', '--reserve', 'x'],
    /--reserve 'x' is no size/,
    2,
  ],
  ['a reserve of an audit', ['audit', 'root@127.0.0.1:1', '--reserve', '1g'], /there is no option --reserve/, 2],
  [
    'a file to save in no folder',
    ['inspect', 'root@127.0.0.1:1', '--save', '/nope/x'],
    /--save \/nope\/x cannot be wr/,
    2,
  ],
  [
    'a profile to write in no folder',
    ['inspect', 'root@127.0.0.1:1', '--write-profile', '/nope/x'],
    /--write-profile \/nope\/x cannot be written/,
    2,
  ],
  ['a port where nobody listens', ['audit', 'root@127.0.0.1:1'], /refuses the connection.*\n.*\n.*is sshd running/, 1],
  ['a name that nobody has', ['audit', 'root@nowhere.invalid'], /no address is known for nowhere.invalid/, 1],
];

for (const [what, args, message, code] of WRITTEN) {
  test(`${what} is a clear error`, async (t) => {
    const root = await temporaryFolder(t);
    const ended = await cli(args, { P2C_ROOT: join(root, 'store') });
    t.regex(ended.stderr, message);
    t.is(ended.code, code, ended.stderr);
    t.is(ended.stdout, '');
    t.notRegex(ended.stderr, /internal error|at .*\.js:\d+/);
    t.false(existsSync(join(root, 'store', 'index.json')));
    const asJson = await cli([...args.slice(0, 1), '--json', ...args.slice(1)], { P2C_ROOT: join(root, 'store') });
    if (what !== 'an unknown verb') t.is(typeof JSON.parse(asJson.stderr).error.message, 'string', asJson.stderr);
  });
}

test('a profile with mistakes: all of them, with line and column', async (t) => {
  const root = await temporaryFolder(t);
  const file = join(root, 'shop.yaml');
  writeFileSync(file, 'name: shop\nstop:\n  - rum: x\nexclude: [root]\n');
  const ended = await cli(['migrate', 'root@127.0.0.1:1', '--tag', 'a', '--profile', file], { P2C_ROOT: root });
  t.is(ended.code, 2);
  t.regex(ended.stderr, /shop\.yaml:3:5: .*rum.*run/s);
  t.regex(ended.stderr, /shop\.yaml:4:11: /);
});

function login({ address, identity, knownHosts }: LabServer): string[] {
  return [`root@${address}`, '--identity', identity, '--known-hosts', knownHosts];
}

function args(server: LabServer, ...more: string[]): string[] {
  return ['migrate', ...login(server), '--profile', 'nginx', '--tag', 'a', ...more];
}

test.serial('a server that lacks a program, or has no space, is told from a broken one', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'lacks');
  const root = await temporaryFolder(t);
  for (const program of ['tar', 'find']) {
    const path = (await server.exec(`command -v ${program}`)).trim();
    await server.exec(`mv ${path} ${path}.away`);
    const ended = await cli(args(server), { P2C_ROOT: root });
    await server.exec(`mv ${path}.away ${path}`);
    t.is(ended.code, 1, ended.stderr);
    t.regex(ended.stderr, new RegExp(`has no ${program} in its PATH.*\\n.*install ${program}`));
    t.notRegex(ended.stderr, /Stop the applications/);
  }
  // A full disk on the source: nothing that p2c does needs space there.
  await server.exec(`fallocate -l "$(df -P -k / | awk 'NR == 2 { print $4 }')K" /filler || true
    head -c 900G /dev/zero >> /filler 2>/dev/null || true; df / | tail -1 | grep -q 100%`);
  const full = await cli(args(server, '--exclude', '/filler'), { P2C_ROOT: root });
  t.is(full.code, 0, full.stderr);
  await server.exec('rm /filler; pgrep -x nginx');
});

test.serial(
  'paths that no program can open, and rules that leave nothing, are told before anything is stopped',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'deep');
    const root = await temporaryFolder(t);
    const name = 'd'.repeat(250);
    // cd looks its folder up by the whole path where that fits, and from where it is where it does not.
    await server.exec(
      `cd /srv && i=0; while [ $i -lt 17 ]; do mkdir ${name} && cd -P ./${name} || exit 1; i=$((i + 1)); done`,
    );
    const audit = await cli(['audit', ...login(server), '--json'], { P2C_ROOT: root });
    t.is(audit.code, 4, audit.stderr);
    t.regex(audit.stdout, /"kind":\s*"path of more than 4095 bytes",\s*"entries":\s*1\b/);
    const refused = await cli(args(server), { P2C_ROOT: root });
    t.is(refused.code, 1, refused.stderr);
    t.regex(refused.stderr, /has 1 path of more than 4095 bytes.*: \/srv\/d+….*\n.*--exclude/);
    t.notRegex(refused.stderr, /Stop the applications/);
    for (const everything of ['/', '/**']) {
      const nothing = await cli(args(server, '--exclude', everything), { P2C_ROOT: root });
      t.is(nothing.code, 1, nothing.stderr);
      t.regex(nothing.stderr, /leave nothing of .* to capture: 'command line:\/(?:\*\*)?' leaves out/);
      t.notRegex(nothing.stderr, /Stop the applications/);
    }
    const without = await cli(args(server, '--exclude', `/srv/${name}/**`), { P2C_ROOT: root });
    t.is(without.code, 0, without.stderr);
    const passedOver = await cli(args(server, '--skip-unreadable'), { P2C_ROOT: root });
    t.is(passedOver.code, 3, passedOver.stderr);
    t.regex(passedOver.stdout + passedOver.stderr, /File name too long/);
  },
);

test.serial('a store that fills up while streaming: said so, nothing half-made, the page is served', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'fills');
  const root = await temporaryFolder(t);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', root]);
  t.teardown(() => run('umount', [root]));
  // The space is there when p2c looks, and taken when it writes.
  const ended = cli(args(server), { P2C_ROOT: root });
  await server.exec('until ! pgrep -x nginx >/dev/null; do sleep 0.02; done');
  await run('sh', ['-c', `head -c 330M /dev/zero > ${root}/filler`]).catch(() => {});
  const { code, stderr } = await ended;
  t.is(code, 1, stderr);
  t.regex(stderr, /no space is left for/);
  await server.exec('pgrep -x nginx');
  t.deepEqual((await run('find', [join(root, 'blobs'), join(root, 'tmp'), '-type', 'f'])).stdout, '');
});

test.serial('a changed host key is refused, whatever is asked for', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['ssh-keygen'])) return;
  const server = await labServer(t, 'changed');
  const root = await temporaryFolder(t);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(root, 'other')]);
  const { stdout } = await run('cut', ['-d', ' ', '-f', '1,2', join(root, 'other.pub')]);
  writeFileSync(join(root, 'known'), `${server.address} ${stdout}`);
  const reached = [
    'audit',
    `root@${server.address}`,
    '--identity',
    server.identity,
    '--known-hosts',
    join(root, 'known'),
    '--accept-new-host-key',
  ];
  const ended = await cli(reached);
  t.is(ended.code, 1);
  t.regex(ended.stderr, /host key of .* has changed: it shows ssh-ed25519 SHA256:\S+, and .*known:1 knows/);
});
