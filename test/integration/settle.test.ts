import { execFile } from 'node:child_process';
import { existsSync, lstatSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { cli, startCli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

function args(server: LabServer, ...more: string[]): string[] {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  return ['migrate', `root@${server.address}`, ...access, '--tag', 'lab:one', '--no-adapt', '--json', ...more];
}

/** The image's tree as umoci makes it: layers in order, whiteouts applied, by code that is not ours. */
async function unpack(t: ExecutionContext, root: string): Promise<string> {
  const bundle = join(await temporaryFolder(t), 'bundle');
  await run('umoci', ['unpack', '--image', `${root}:lab:one`, bundle], { maxBuffer: 1024 ** 3 });
  return join(bundle, 'rootfs');
}

test.serial('what moves while it is streamed arrives as it is at the end, and what is gone is gone', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
  const server = await labServer(t, 'moves', { large: true });
  const root = await temporaryFolder(t);
  await server.exec(`mkdir -p /opt/moving/dir/deep /opt/moving/gone-dir/deep /opt/moving/folds/deep && cd /opt/moving
    echo before > folds/deep/file; for name in grows shrinks gone chmod dir/deep/file gone-dir/deep/file linked; do echo before > $name; done
    ln linked linked-too; ln -s before turns; chmod 644 chmod`);
  const p2c = startCli(args(server, '--no-stop'), { P2C_ROOT: root });
  // The listing is made, the stream begins: a tar for each of two parts.
  await server.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done');
  await server.exec(`cd /opt/moving; echo more >> grows; : > shrinks; rm gone; chmod 4711 chmod; mv dir renamed
    rm -r gone-dir folds; echo file > folds; echo after > linked; rm turns; mkdir turns; echo in > turns/file; echo new > fresh`);
  const ended = await p2c.ended;
  t.is(ended.code, 0, ended.stderr);
  const { settle, image } = JSON.parse(ended.stdout);
  t.true(settle.rounds >= 1 && settle.changed >= 8 && settle.removed >= 3, JSON.stringify(settle));
  t.is(settle.stillMoving, 0, JSON.stringify(settle.stillMovingPaths));
  t.true(image.layers >= 3);
  const tree = join(await unpack(t, root), 'opt/moving');
  const text = (path: string): string => readFileSync(join(tree, path), 'utf8');
  t.is(text('grows'), 'before\nmore\n');
  t.is(text('shrinks'), '');
  t.is(text('fresh'), 'new\n');
  t.is(text('renamed/deep/file'), 'before\n');
  t.is(text('linked'), 'after\n');
  t.is(text('linked-too'), 'after\n');
  t.is(lstatSync(join(tree, 'linked')).ino, lstatSync(join(tree, 'linked-too')).ino, 'still one file');
  t.is(text('turns/file'), 'in\n');
  t.is(text('folds'), 'file\n', 'a directory that became a file');
  t.is(lstatSync(join(tree, 'chmod')).mode & 0o7777, 0o4711);
  for (const path of ['gone', 'dir', 'gone-dir']) t.false(existsSync(join(tree, path)), path);
  await run('skopeo', ['inspect', `oci:${root}:lab:one`]);
  const valid = await cli(['image', 'validate', 'lab:one'], { P2C_ROOT: root });
  t.is(valid.code, 0, valid.stdout);
  const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout + held.stderr);
  const listed = await cli(['image', 'receipt', 'lab:one', '--path', '/opt/moving'], { P2C_ROOT: root });
  t.regex(listed.stdout, /^vanished\t\/opt\/moving\/gone$/m);
  t.regex(listed.stdout, /^captured in layer [2-9]\t\/opt\/moving\/fresh$/m);
  const booted = await cli(['run', '--rm', 'lab:one', 'sh', '-c', 'cat /opt/moving/linked-too; ls /opt/moving'], {
    P2C_ROOT: root,
  });
  t.is(
    booted.stdout,
    'after\nchmod\nfolds\nfresh\ngrows\nlinked\nlinked-too\nrenamed\nshrinks\nturns\n',
    booted.stderr,
  );
});

test.serial(
  'a hot copy: the page is served while the files are streamed, and what it wrote meanwhile is in the image',
  async (t) => {
    if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
    const server = await labServer(t, 'hot', { large: true });
    const root = await temporaryFolder(t);
    const p2c = startCli(args(server, '--profile', 'nginx', '--hot'), { P2C_ROOT: root });
    await server.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done');
    const response = await fetch(`http://${server.address}/while-it-streams`, { signal: AbortSignal.timeout(60_000) });
    t.is(response.status, 404);
    const ended = await p2c.ended;
    t.is(ended.code, 0, ended.stderr);
    const { settle, stopped, image } = JSON.parse(ended.stdout);
    t.true(settle.rounds >= 1 && settle.changed >= 1, JSON.stringify(settle));
    t.deepEqual(
      stopped.applications.map((app: { name: string }) => app.name),
      ['nginx'],
    );
    t.true(image.layers >= 3);
    const tree = await unpack(t, root);
    t.regex(readFileSync(join(tree, 'var/log/nginx/shop.log'), 'utf8'), /GET \/while-it-streams/);
    t.is((await fetch(`http://${server.address}/`)).status, 200);
  },
);

test.serial('what never stands still is named, and the exit code says so', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'restless');
  const root = await temporaryFolder(t);
  await server.exec(`nohup sh -c 'while sleep 0.02; do echo line >> "/var/log/a\nb"; done' >/dev/null 2>&1 &`);
  const ended = await cli(args(server, '--no-stop'), { P2C_ROOT: root });
  t.is(ended.code, 3, ended.stderr);
  const { settle } = JSON.parse(ended.stdout);
  t.is(settle.rounds, 2);
  t.deepEqual(settle.stillMovingPaths, ['/var/log/a\\nb']);
  const none = await cli(args(server, '--no-stop', '--settle', '0'), { P2C_ROOT: root });
  t.is(none.code, 3, none.stderr);
  t.is(JSON.parse(none.stdout).settle.rounds, 0);
});

test.serial('what only a later listing cannot look at is named, and the exit code says so', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'blind', { large: true });
  const root = await temporaryFolder(t);
  await server.exec(`cat >/usr/local/bin/find <<'END'
#!/bin/sh
/usr/bin/find "$@" || exit
if [ -e /run/blind ]; then echo "find: '/opt/blind': Input/output error" >&2; exit 1; fi
END
    chmod 755 /usr/local/bin/find`);
  const p2c = startCli(args(server, '--no-stop', '--skip-unreadable'), { P2C_ROOT: root });
  await server.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done; touch /run/blind');
  const ended = await p2c.ended;
  t.is(ended.code, 3, ended.stderr);
  t.deepEqual(JSON.parse(ended.stdout).listing.problems, ["find: '/opt/blind': Input/output error"]);
  const listed = await cli(['image', 'receipt', 'lab:one', '--verdict', 'unreadable'], { P2C_ROOT: root });
  t.is(listed.stdout, 'unreadable\t/opt/blind\tfind could not look at it: Input/output error\n');
  const audited = await cli(['audit', ...args(server).slice(1, 6), '--exclude', '/opt/blind'], { P2C_ROOT: root });
  t.regex(audited.stdout, /\nDuplicates: /);
  t.notRegex(audited.stdout, /could not be looked at/);
  const small = ['/usr/**', '/data/**', '/opt/warehouse/**'].flatMap((pattern) => ['--exclude', pattern]);
  const refused = await cli(args(server, '--no-stop', ...small), { P2C_ROOT: root });
  t.is(refused.code, 1, refused.stderr);
  t.is(JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '').error.code, 'capture.unreadable');
});

test.serial('an unchanged server gives the same layers twice', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'twice');
  const root = await temporaryFolder(t);
  const layers = async (): Promise<string[]> => {
    const ended = await cli(args(server, '--no-stop'), { P2C_ROOT: root });
    t.is(ended.code, 0, ended.stderr);
    const { stdout } = await run('skopeo', ['inspect', `oci:${root}:lab:one`]);
    return JSON.parse(stdout).Layers;
  };
  // A server that has just booted still writes a file here and there.
  let [first, second] = [await layers(), await layers()];
  for (let tries = 0; tries < 3 && second.join() !== first.join(); tries += 1)
    [first, second] = [second, await layers()];
  t.deepEqual(second, first);
});

test.serial('a hard link whose target did not come with it is fetched again, with all names of its file', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'dangling');
  const root = await temporaryFolder(t);
  // A tar that loses the first name of a file, once.
  await server.exec(`mkdir -p /opt/links && cd /opt/links && echo content > a && ln a b && ln a c
    printf '#!/bin/sh\ncase "$*" in *--create*) once=/opt/once ;; esac; if [ -e "$once" ]; then rm $once; /bin/tar "$@" | /bin/tar --delete -f - ./opt/links/a
else exec /bin/tar "$@"; fi\n' > /usr/local/bin/tar && chmod 755 /usr/local/bin/tar && touch /opt/once`);
  const ended = await cli(args(server, '--no-stop', '--exclude', '/opt/once'), { P2C_ROOT: root });
  t.is(ended.code, 0, ended.stderr);
  const { stream, settle } = JSON.parse(ended.stdout);
  t.is(stream.anomalies['hard link without its target'], 2);
  t.is(settle.rounds, 1);
  const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout);
  const { stdout } = await cli(['image', 'receipt', '--path', '/opt/links', '--ndjson', 'lab:one'], { P2C_ROOT: root });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.deepEqual(
    lines.map(({ path, layer, hardLink }) => [path, layer, hardLink]),
    [
      ['/opt/links', 1, undefined],
      ['/opt/links/a', 1, undefined],
      ['/opt/links/b', 1, '/opt/links/a'],
      ['/opt/links/c', 1, '/opt/links/a'],
    ],
  );
});

test.serial(
  'what becomes what a rule leaves out, once it was captured, is told: in the receipt, the report and the exit code',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'late');
    const root = await temporaryFolder(t);
    // After tar has read them, before the next look: holes, a socket in the place of a file, a directory that a rule speaks of.
    await server.exec(`mkdir -p /opt/late; cd /opt/late; echo x > holes; ln holes other; echo x | tee socket folder > stays; touch /opt/once
    printf '#!/bin/sh\ncase "$*" in *--create*) if [ -e /opt/once ]; then rm /opt/once; /bin/tar "$@"; cd /opt/late; truncate -s 2G holes
rm socket folder; mkdir folder; echo x > folder/in; perl -MIO::Socket::UNIX -e "IO::Socket::UNIX->new(Local=>q(socket),Listen=>1)"; exit; fi ;; esac
exec /bin/tar "$@"\n' > /usr/local/bin/tar && chmod 755 /usr/local/bin/tar`);
    const rules = ['--exclude', '/opt/once', '--exclude', '/opt/late/folder/'];
    const ended = await cli(args(server, '--no-stop', ...rules), { P2C_ROOT: root });
    t.is(ended.code, 3, ended.stderr);
    const late = ['folder', 'holes', 'other', 'socket'].map((name) => `/opt/late/${name}`);
    t.deepEqual(JSON.parse(ended.stdout).settle.leftOutLatePaths, late);
    const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout + held.stderr);
    const { stdout } = await cli(['image', 'receipt', '--path', '/opt/late/*', '--ndjson', 'lab:one'], {
      P2C_ROOT: root,
    });
    const verdicts = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.deepEqual(
      verdicts.filter(({ verdict, reason }) => verdict === 'left-out' && reason !== undefined).map(({ path }) => path),
      late,
    );
    t.is(verdicts.find(({ path }) => path === '/opt/late/stays').verdict, 'captured');
  },
);

test.serial('what a link, a rule or a late removal makes of directories is right in the image', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
  const server = await labServer(t, 'directories');
  const root = await temporaryFolder(t);
  // Before tar comes to it, a directory becomes a link to what is left out; and what leads to something taken goes or changes.
  await server.exec(`mkdir -p /root/secret /opt/dirs/d/deep /opt/kept/way /opt/lost/way; cd /opt/dirs
    echo secret > /root/secret/x; echo x | tee d/x d/deep/y > /opt/kept/way/in; echo x > /opt/lost/way/in; touch /opt/once
    printf '#!/bin/sh\ncase "$*" in *--create*) if [ -e /opt/once ]; then rm /opt/once
mv /opt/dirs/d /opt/dirs/away; ln -s /root/secret /opt/dirs/d; /bin/tar "$@"; rm -r /opt/lost; chmod 700 /opt/kept/way; exit; fi ;; esac
exec /bin/tar "$@"\n' > /usr/local/bin/tar && chmod 755 /usr/local/bin/tar`);
  const rules = ['kept', 'lost'].flatMap((name) => ['--exclude', `/opt/${name}`, '--include', `/opt/${name}/way/in`]);
  const ended = await cli(args(server, '--no-stop', '--exclude', '/opt/once', ...rules), { P2C_ROOT: root });
  t.is(ended.code, 0, ended.stderr);
  t.is(JSON.parse(ended.stdout).stream.anomalies['below what is no directory'], 1);
  for (const verb of [['validate'], ['receipt', '--check']]) {
    const held = await cli(['image', ...verb, 'lab:one'], { P2C_ROOT: root });
    t.is(held.code, 0, held.stdout + held.stderr);
  }
  const tree = join(await unpack(t, root), 'opt');
  t.is(readlinkSync(join(tree, 'dirs/d')), '/root/secret');
  t.is(readFileSync(join(tree, 'dirs/away/deep/y'), 'utf8'), 'x\n');
  t.false(existsSync(join(tree, 'lost')));
  t.is(lstatSync(join(tree, 'kept/way')).mode & 0o7777, 0o700);
  const why = await cli(
    ['audit', ...args(server).slice(1, 6), ...rules, '--why', '/opt/kept', '--why', '/opt//dirs/'],
    {},
  );
  t.is(
    why.stdout,
    '/opt/kept: captured: a rule leaves it out, and it leads to /opt/kept/way/in\n/opt/dirs: captured: no rule speaks of it\n',
  );
});

test.serial(
  'what could not be read ends the run before there is an image, unless it is a log or to be skipped',
  async (t) => {
    if (!requireRoot(t)) return;
    const server = await labServer(t, 'unread');
    const root = await temporaryFolder(t);
    // A tar that has trouble with one file.
    const troubled = (path: string): Promise<string> =>
      server.exec(`mkdir -p "$(dirname ${path})" && echo x > ${path}
      printf '#!/bin/sh\nexec /bin/tar --exclude=.%s "$@"\n' ${path} > /usr/local/bin/tar; chmod 755 /usr/local/bin/tar`);
    await troubled('/opt/app/needed');
    const refused = await cli(args(server, '--profile', 'nginx'), { P2C_ROOT: root });
    t.is(refused.code, 1, refused.stderr);
    t.is(refused.stdout, '');
    const { error } = JSON.parse(refused.stderr.trim().split('\n').at(-1) ?? '');
    t.is(error.code, 'capture.unreadable');
    t.regex(
      error.message,
      /^1 path on \S+ could not be read: \/opt\/app\/needed \(the source's tar did not deliver it/,
    );
    t.is((await fetch(`http://${server.address}/`, { signal: AbortSignal.timeout(60_000) })).status, 200);
    t.is((await cli(['images', '-q'], { P2C_ROOT: root })).stdout, '');

    const skipped = await cli(args(server, '--no-stop', '--skip-unreadable'), { P2C_ROOT: root });
    t.is(skipped.code, 3, skipped.stderr);
    t.deepEqual(JSON.parse(skipped.stdout).settle.unreadablePaths, ['/opt/app/needed']);
    const listed = await cli(['image', 'receipt', 'lab:one', '--verdict', 'unreadable', '--ndjson'], {
      P2C_ROOT: root,
    });
    t.like(JSON.parse(listed.stdout), { path: '/opt/app/needed', verdict: 'unreadable', class: 'other' });
    t.is((await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root })).code, 0);

    await troubled('/opt/app/logs/today');
    const log = await cli(args(server, '--no-stop'), { P2C_ROOT: root });
    t.is(log.code, 3, log.stderr);
  },
);

test.serial('a filesystem that is unmounted while it is captured ends the run: its files are not gone', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'unmount', { large: true });
  const root = await temporaryFolder(t);
  const p2c = startCli(args(server, '--profile', 'nginx'), { P2C_ROOT: root });
  await server.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done; umount -l /tmp');
  const ended = await p2c.ended;
  t.is(ended.code, 1, ended.stderr);
  t.is(JSON.parse(ended.stderr.trim().split('\n').at(-1) ?? '').error.code, 'source.mounts');
  t.is((await fetch(`http://${server.address}/`, { signal: AbortSignal.timeout(60_000) })).status, 200);
  t.is((await cli(['images', '-q'], { P2C_ROOT: root })).stdout, '');
});

test.serial('what something was mounted over while it was captured is not gone, and is named', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['umoci'])) return;
  const server = await labServer(t, 'mountover', { large: true });
  const root = await temporaryFolder(t);
  await server.exec('mkdir -p /a/shop/deep /a/empty; echo kept > /a/shop/deep/file');
  const p2c = startCli(args(server, '--no-stop', '--skip-unreadable'), { P2C_ROOT: root });
  // What comes first in the order of paths is read by then.
  await server.exec(`until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done; sleep 0.5
    mount -t tmpfs none /a/shop; mount -t tmpfs none /a/empty`);
  const ended = await p2c.ended;
  t.is(ended.code, 3, ended.stderr);
  const { listing, settle } = JSON.parse(ended.stdout);
  t.deepEqual(listing.problems, [], 'what was mounted is left out like all of its kind');
  t.is(settle.removed, 0);
  t.is(readFileSync(join(await unpack(t, root), 'a/shop/deep/file'), 'utf8'), 'kept\n');
  const listed = await cli(['image', 'receipt', 'lab:one', '--verdict', 'changed'], { P2C_ROOT: root });
  const line = (path: string): string => `changed in layer 0\t${path}\tfind could not look at it again\n`;
  t.is(listed.stdout, line('/a/shop/deep') + line('/a/shop/deep/file'));
  const held = await cli(['image', 'receipt', '--check', 'lab:one'], { P2C_ROOT: root });
  t.is(held.code, 0, held.stdout + held.stderr);
});
