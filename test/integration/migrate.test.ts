import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { decodeLine, type ReceiptLine } from '../../src/report/receipt/form.ts';
import { cli, type Ended, startCli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { type Seen, seeTree } from '../helpers/tree.ts';

const run = promisify(execFile);

function access(server: LabServer): string[] {
  return ['--identity', server.identity, '--known-hosts', server.knownHosts];
}

function migrateArgs(server: LabServer, ...more: string[]): string[] {
  return [
    'migrate',
    `${server.user}@${server.address}`,
    ...access(server),
    '--profile',
    'nginx',
    '--tag',
    'lab:one',
    // What comes from the source is held against the source: adaptation has tests of its own.
    '--no-adapt',
    ...more,
  ];
}

async function page(server: LabServer): Promise<string> {
  const response = await fetch(`http://${server.address}/`, { signal: AbortSignal.timeout(60_000) });
  return response.text();
}

/** Layers of a stored image, in order, as files. */
function layersOf(root: string): string[] {
  const blob = (digest: string): string => join(root, 'blobs/sha256', digest.slice(7));
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'));
  const manifest = JSON.parse(readFileSync(blob(index.manifests[0].digest), 'utf8'));
  return manifest.layers.map((layer: { digest: string }) => blob(layer.digest));
}

async function unpack(t: ExecutionContext, root: string): Promise<string> {
  const tree = join(await temporaryFolder(t), 'tree');
  await mkdir(tree);
  for (const layer of layersOf(root)) {
    await run('tar', ['-C', tree, '--numeric-owner', '-p', '--xattrs', '--xattrs-include=*', '-xf', layer]);
  }
  return tree;
}

async function receiptOf(root: string): Promise<Map<string, ReceiptLine>> {
  const { stdout } = await cli(['image', 'receipt', '--ndjson', 'lab:one'], { P2C_ROOT: root });
  const lines = stdout.trimEnd().split('\n').map(decodeLine);
  return new Map(lines.map((line) => [line.path, line]));
}

/** Below these, an image has nothing: the shipped base rules, and the lab's bind mount. */
const LEFT_OUT =
  /^\/(?:proc|sys|dev|run|boot|root|(?:usr\/)?lib\/(?:modules|firmware)|var\/named\/chroot\/etc\/bind|(?:.*\/)?lost\+found)\/|^\/swapfile$|^\/var\/cache\/nginx\/./s;

/** More than 1 GiB of holes: the lab makes this, and a lastlog in whose place an empty one comes. */
const SPARSE = new Set(['/opt/hostile/sparse/all-hole']);
const LASTLOG = '/var/log/lastlog';

const RESTLESS = new Set(['/proc', '/sys', '/dev', '/run']);

/** Type, mode and owner alone. */
function timeless(seen: Seen): string {
  return seen.attributes.split(' ').slice(0, 4).join(' ');
}

function isLeftOut(path: string, seen: Seen): boolean {
  return seen.attributes.startsWith('s') || SPARSE.has(path) || LEFT_OUT.test(path) || /(?:^|\/)\.wh\./.test(path);
}

/**
 * What is compared of a path. tar keeps the names of a regular file or link together, and of those only the ones that
 * are captured; fifos with two names become two fifos.
 */
function comparable(seen: Seen, source: ReadonlyMap<string, Seen>): string {
  const linkedWith = seen.linkedWith.split('\0').filter((name) => {
    const there = source.get(name);
    return there !== undefined && !isLeftOut(name, there) && !there.attributes.startsWith('p');
  });
  return JSON.stringify({ ...seen, changed: 0, linkedWith: linkedWith.length > 1 ? linkedWith : [] });
}

for (const suite of ['bullseye', 'bookworm', 'trixie'] as const) {
  test.serial(`every included path of a ${suite} server arrives as it is there`, async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['getfattr', 'debootstrap'])) return;
    const server = await labServer(t, `fidelity-${suite}`, { suite, hostile: true });
    const root = await temporaryFolder(t);
    const begun = Date.now() / 1000;
    const ended = await cli(migrateArgs(server, '--json'), { P2C_ROOT: root });
    t.true(ended.code === 0 || ended.code === 3, ended.stderr);
    const report = JSON.parse(ended.stdout);
    t.is(report.stream.missing, 0, JSON.stringify(report.stream.missingPaths));
    const source = await seeTree(server.rootDir);
    const image = await seeTree(await unpack(t, root));
    const differences: string[] = [];
    const moved: string[] = [];
    for (const [path, there] of source) {
      if (isLeftOut(path, there)) {
        if (image.has(path)) differences.push(`${path}: should have been left out`);
        continue;
      }
      const here = image.get(path);
      if (path === LASTLOG) {
        t.regex(here?.attributes ?? '', new RegExp(`^${timeless(there)} 0 `));
        continue;
      }
      // Where the kernel mounts its own, times are new at each look: the image has none.
      const plain = (seen: Seen): Seen => (RESTLESS.has(path) ? { ...seen, attributes: timeless(seen) } : seen);
      const same = here !== undefined && comparable(plain(here), source) === comparable(plain(there), source);
      // A server goes on living: what it changed since the capture began cannot be compared.
      if (!same && there.changed >= begun) moved.push(path);
      else if (!same)
        differences.push(`${JSON.stringify(path)}: ${JSON.stringify(there)} is in the image ${JSON.stringify(here)}`);
    }
    for (const path of image.keys())
      if (!source.has(path) && !/^\/(?:var\/(?:log|lib|cache)|tmp)\//.test(path))
        differences.push(`${path}: not on the source`);
    const receipt = await receiptOf(root);
    for (const [path, there] of source) {
      const line = receipt.get(path);
      // What lies on mounts that were skipped has no line; the header names these.
      const explained = isLeftOut(path, there) ? (line?.verdict ?? 'left-out') === 'left-out' : line?.layer === 0;
      if (!explained && there.changed < begun) differences.push(`${path}: the receipt says ${JSON.stringify(line)}`);
    }
    t.deepEqual(differences, []);
    const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout + held.stderr);
    t.log(`${image.size} paths compared, ${moved.length} moved on meanwhile: ${moved.slice(0, 20).join(' ')}`);
    t.true(moved.length < 40, moved.join('\n'));
    t.true(image.size > 5000);
    t.regex(await page(server), /Hello from/);
  });
}

test.serial('the pipeline done by hand fails on the server where p2c does not, and the audit names why', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman', 'skopeo', 'umoci', 'ssh'])) return;
  const server = await labServer(t, 'seed');
  const root = await temporaryFolder(t);
  const scratch = await temporaryFolder(t);
  const ssh = `ssh -i ${server.identity} -o UserKnownHostsFile=${server.knownHosts} -o BatchMode=yes ${server.user}@${server.address}`;
  const podman = `podman --root ${scratch}/graph --runroot ${scratch}/run --storage-driver overlay`;
  const seed = `${ssh} -C '( cd / ; tar -cp --one-file-system --exclude root --exclude proc --exclude dev --exclude boot --exclude var/spool/postfix --exclude lib/modules -f - $(mount | awk "{ if ( \\$1 ~ /\\/dev/ ) print \\$3; }" | xargs) )' | ${podman} import - seed:latest`;
  const failed = await run('bash', ['-c', seed], { maxBuffer: 1024 ** 3 }).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  t.regex(failed ?? 'it did not fail', /duplicates of file paths not supported/);

  const audit = await cli(['audit', `${server.user}@${server.address}`, ...access(server), '--json'], {
    P2C_ROOT: root,
  });
  t.is(audit.code, 4, audit.stderr);
  const { duplicates, anatomy } = JSON.parse(audit.stdout);
  t.true(anatomy.hazards.some(({ entries }: { entries: number }) => entries > 10));
  for (const { kind, entries, paths } of anatomy.hazards) t.is(new Set(paths).size, entries, kind);
  const named = duplicates.paths.map((item: { path: string }) => item.path);
  for (const path of ['/boot', '/data', '/tmp', '/var/named/chroot/etc/bind']) t.true(named.includes(path), path);
  t.false(existsSync(join(root, 'index.json')), 'an audit stores nothing');
  const asked = ['/root/.bashrc', '/etc/passwd', '/proc/1', '/nope'].flatMap((path) => ['--why', path]);
  const why = await cli(['audit', `${server.user}@${server.address}`, ...access(server), ...asked, '--json'], {});
  t.is(why.code, 0, why.stderr);
  const report = JSON.parse(why.stdout);
  t.deepEqual(
    report.why.map(({ verdict, rule }: { verdict: string; rule: string | null }) => [verdict, rule]),
    [
      ['left out', 'base:/root/**'],
      ['captured', null],
      ['not captured', null],
      ['not there', null],
    ],
  );
  t.deepEqual(
    report.unanchored.map(({ exclude }: { exclude: string }) => exclude).sort(),
    ['dev', 'proc', 'root'],
    'the lab has directories of these names where applications keep them',
  );

  const migrated = await cli(migrateArgs(server, '-c', 'USER root', '-c', 'VOLUME /opt/IBM', '-m', 'old server'), {
    P2C_ROOT: root,
  });
  t.true(migrated.code === 0 || migrated.code === 3, migrated.stderr);
  const { stdout: inspected } = await run('skopeo', ['inspect', '--config', `oci:${root}:lab:one`]);
  const config = JSON.parse(inspected);
  t.is(config.config.User, 'root');
  t.deepEqual(config.config.Volumes, { '/opt/IBM': {} });
  t.is(config.history.at(-1).comment, 'old server');
  t.is(config.architecture, process.arch === 'x64' ? 'amd64' : process.arch);
  await run('umoci', ['unpack', '--image', `${root}:lab:one`, join(scratch, 'bundle')], { maxBuffer: 1024 ** 3 });
  t.true(existsSync(join(scratch, 'bundle/rootfs/etc/passwd')));
  await run('bash', [
    '-c',
    `${podman} pull -q oci:${root}:lab:one && ${podman} images -q | xargs -I{} ${podman} tag {} localhost/lab:one`,
  ]);
  const limits = '--ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --network none';
  const fetchPage = 'nginx; sleep 1; exec 3<>/dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\\r\\n\\r\\n" >&3; cat <&3';
  const booted = await run('bash', [
    '-c',
    `${podman} --runtime runc run --rm ${limits} localhost/lab:one bash -c '${fetchPage}'`,
  ]);
  t.regex(booted.stdout, /Hello from/);
});

interface Command {
  readonly purpose: string;
  readonly script: string;
}

/** A command without what differs from run to run: the lease's token and counter, and who holds it. */
function sameEachTime(script: string): string {
  return script
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'TOKEN')
    .replace(/, process \d+\/[0-9a-f]+(?: of run [\w-]+)?/, ', process N')
    .replace(/^echo \d+ >"\$lock\/counter"$/m, 'echo N >"$lock/counter"');
}

/** Of the blobs that runs keep for going on, the digests' digits. */
function held(root: string): string {
  const folder = join(root, 'held');
  if (!existsSync(folder)) return '';
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), 'utf8'))
    .join('');
}

/** Waits a minute at most until the lease has started nginx again. */
async function servesAgain(server: LabServer): Promise<void> {
  const served = (): Promise<boolean> =>
    page(server).then(
      () => true,
      () => false,
    );
  for (const deadline = Date.now() + 60_000; Date.now() < deadline && !(await served()); ) await pause(500);
}

/** What must be true after a run that failed: the page is served, nothing half-made is stored. */
async function unharmed(t: ExecutionContext, server: LabServer, root: string, ended: Ended): Promise<void> {
  t.regex(await page(server), /Hello from/);
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'));
  t.deepEqual(index.manifests, [], 'no image');
  t.deepEqual(
    readdirSync(join(root, 'blobs/sha256')).filter((hex) => !held(root).includes(hex)),
    [],
    'no blobs but those that the run can go on with',
  );
  t.deepEqual(readdirSync(join(root, 'tmp')), [], 'no temporaries');
  t.is(ended.stdout, '');
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test.serial(`${signal} while streaming: the applications start again and no image is made`, async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, `int-${signal.slice(3).toLowerCase()}`, { large: true });
    const root = await temporaryFolder(t);
    const p2c = startCli(migrateArgs(server), { P2C_ROOT: root });
    await p2c.saw(/Stream the files\.\.\./);
    await t.throwsAsync(page(server), undefined, 'nginx is down while streaming');
    p2c.child.kill(signal);
    const ended = await p2c.ended;
    t.is(ended.code, 130, ended.stderr);
    t.regex(ended.stderr, new RegExp(`interrupted by ${signal}`));
    await unharmed(t, server, root, ended);
  });
}

test.serial('a tar that dies on the source is an error with its words, and the applications start again', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'tar-dies', { large: true });
  const root = await temporaryFolder(t);
  const p2c = startCli(migrateArgs(server, '--retries', '0'), { P2C_ROOT: root });
  await p2c.saw(/Stream the files\.\.\./);
  await server.exec('until pkill -9 -x tar; do sleep 0.05; done');
  const ended = await p2c.ended;
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /tar on the source ended with exit code 137/);
  await unharmed(t, server, root, ended);
});

test.serial('a source that goes away: p2c says so, and the lease starts the applications', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'gone', { large: true });
  const root = await temporaryFolder(t);
  const p2c = startCli(migrateArgs(server, '--lease', '10s', '--retries', '0'), { P2C_ROOT: root });
  await p2c.saw(/Stream the files\.\.\./);
  await server.exec('pkill -9 -f "sshd: root@notty|sshd-session: root@notty" || true').catch(() => '');
  const ended = await p2c.ended;
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /connection to .* was lost/);
  await servesAgain(server);
  await unharmed(t, server, root, ended);
});

test.serial('kill -9 of p2c: the lease starts the applications, and the store stays sound', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'kill9', { large: true });
  const root = await temporaryFolder(t);
  const p2c = startCli(migrateArgs(server, '--lease', '10s'), { P2C_ROOT: root });
  await p2c.saw(/Stream the files\.\.\./);
  p2c.child.kill('SIGKILL');
  await p2c.ended;
  await servesAgain(server);
  t.regex(await page(server), /Hello from/);
  await server.exec('while [ -e /run/p2c.lease ]; do sleep 0.2; done');
  const again = await cli(migrateArgs(server), { P2C_ROOT: root });
  t.true(again.code === 0 || again.code === 3, again.stderr);
  t.deepEqual(readdirSync(join(root, 'tmp')), []);
  // Config and manifest; the receipt's lines, manifest and empty config.
  // Two deltas may be the same.
  const layers = new Set(layersOf(root));
  t.is(readdirSync(join(root, 'blobs/sha256')).length, layers.size + 5, 'what the killed run left is gone');
});

test.serial('a store without space: refused before anything is stopped', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'full');
  const root = await temporaryFolder(t);
  await run('mount', ['-t', 'tmpfs', '-o', 'size=50m', 'tmpfs', root]);
  t.teardown(() => run('umount', [root]));
  const ended = await cli(migrateArgs(server), { P2C_ROOT: root });
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /the image needs \d+ MB and .* has [\d.]+ MB free/);
  t.notRegex(ended.stderr, /Stop the applications/);
  await unharmed(t, server, root, ended);
  const kept = await cli(migrateArgs(server, '--reserve', '900t'), { P2C_ROOT: await temporaryFolder(t) });
  t.is(kept.code, 1, kept.stderr);
  t.regex(kept.stderr, /has 0 B free beside the reserve of .*\n.*a smaller --reserve/);
  t.notRegex(kept.stderr, /Stop the applications/);
});

test.serial('a dry run changes nothing and prints what would be run', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'dry');
  const root = await temporaryFolder(t);
  const ended = await cli(migrateArgs(server, '--dry-run'), { P2C_ROOT: root });
  t.is(ended.code, 0, ended.stderr);
  for (const word of ['. stop nginx', '. start nginx', '--no-recursion', '. list / again', 'p2c_start_owed'])
    t.true(ended.stdout.includes(word), word);
  const planned = await cli(migrateArgs(server, '--dry-run', '--json'), { P2C_ROOT: root });
  t.false(existsSync(join(root, 'index.json')));
  t.regex(await page(server), /Hello from/);

  const done = await cli(migrateArgs(server, '--json'), { P2C_ROOT: root });
  t.is(done.code, 0, done.stderr);
  const { ledger: before, commands } = JSON.parse(planned.stdout);
  const said = new Set([...before, ...commands].map(({ script }) => sameEachTime(script)));
  const unsaid = JSON.parse(done.stdout).ledger.filter((entry: Command) => !said.has(sameEachTime(entry.script)));
  t.deepEqual(
    unsaid.map(({ purpose }: Command) => purpose).filter((purpose: string) => !/^see whether /.test(purpose)),
    [],
    'each command of the real run was among those of the dry run, but for checks narrowed to what held',
  );
});

test.serial('a sudo user migrates; an ordinary one is told what is missing', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'sudo');
  const root = await temporaryFolder(t);
  const as = (user: string): string[] => migrateArgs({ ...server, user });
  const admin = await cli(as('admin'), { P2C_ROOT: root });
  t.true(admin.code === 0 || admin.code === 3, admin.stderr);
  const joe = await cli(as('joe'), { P2C_ROOT: root });
  t.is(joe.code, 1);
  t.regex(joe.stderr, /joe is not root on .* and cannot use sudo without a password/);
});

test.serial(
  'two hosts of an inventory, one of them wrong: the other is migrated, and the exit code tells',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'fleet');
    const root = await temporaryFolder(t);
    const { writeFile } = await import('node:fs/promises');
    const file = join(root, 'fleet.yaml');
    await writeFile(
      file,
      `defaults: { user: root, identity: ${server.identity}, profile: nginx, tag: 'legacy/{{host}}:latest' }
hosts:
  good: { address: ${server.address} }
  bad: { address: ${server.address}, port: 2 }
`,
    );
    const store = join(root, 'store');
    const ended = await cli(['migrate', '-i', file, '--known-hosts', server.knownHosts, '--concurrency', '2'], {
      P2C_ROOT: store,
    });
    t.is(ended.code, 1, ended.stderr);
    t.regex(ended.stdout, /good\s+(?:done|blind spots)\s+legacy\/good:latest/);
    t.regex(ended.stdout, /bad\s+failed/);
    t.regex(ended.stderr, /bad: .*refuses the connection/);
    const audit = await cli(['audit', '-i', file, 'good', '--known-hosts', server.knownHosts, '--json'], {
      P2C_ROOT: store,
    });
    t.is(audit.code, 4, audit.stderr);
    const events = audit.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    const done = events.filter(({ event }) => event === 'host-done');
    t.deepEqual(
      done.map(({ host, exitCode }) => [host, exitCode]),
      [['good', 4]],
    );
    const { needs, anatomy } = done[0].result;
    t.is(needs.transfer.length, 2);
    t.true(anatomy.hazards.length > 0);
    for (const { kind, entries, examples, paths } of anatomy.hazards) {
      t.is(examples.length, Math.min(entries, 10), kind);
      t.is(paths, undefined, 'a journal keeps no more than the first');
    }
  },
);
