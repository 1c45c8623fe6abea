/** A folder of a server captured as a volume: beside the image, settled, kept, and the same again in a container. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import * as z from 'zod';
import { cli, startCli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const DATA = '/var/lib/shopdb';

const FILL = `mkdir -p ${DATA}/tables ${DATA}/gone-dir/deep ${DATA}/folds/deep /opt/links && cd ${DATA}
echo one > tables/one.ibd; echo two > tables/two.ibd; ln tables/two.ibd tables/again.ibd; ln tables/two.ibd moves-too
for name in gone gone-dir/deep/x folds/deep/x turns stays; do echo before > $name; done
echo shared > shared; ln shared shared-too; ln shared /opt/links/shared; ln shared /opt/links/shared-too
ln -s tables/one.ibd link; mkfifo pipe; truncate -s 3M hole; printf end >> hole; : > '-rf'
printf x > "$(printf 'odd\\nna\\377me')"; chown -R 105:106 .; chown 0:42 stays; chmod 4750 stays; chmod 2750 .
touch -d '2001-02-03 04:05:06.123456789' tables/one.ibd tables`;

const CHANGE = `cd ${DATA}; rm gone; rm -r gone-dir folds; echo file > folds; rm turns; mkdir turns; echo in > turns/x
echo more >> tables/two.ibd; echo new > tables/new.ibd; chmod 600 stays; chown 33 .; rm shared-too; echo etc > /etc/moved`;

let server: LabServer | undefined;

test.before(async (t) => {
  if (!requireRoot(t)) return;
  server = await startLabServer('volume');
  await server.exec(FILL);
  await run('setfattr', ['-n', 'user.x', '-v', '0x00fe0a', `${server.rootDir}${DATA}/tables/one.ibd`]);
  await run('setfacl', ['-m', 'u:33:rwx', `${server.rootDir}${DATA}`]);
  await run('setcap', ['cap_net_raw=ep', `${server.rootDir}${DATA}/hole`]);
});

test.after.always(() => server?.[Symbol.asyncDispose]());

/** All that can be told of a tree, a line for each path; hard links by the names that share an inode. */
async function tree(folder: string): Promise<string[]> {
  const format = '%P\\0%y %m %U %G %s %T@ %l\\0%i\\0';
  const { stdout } = await run('find', ['.', '-printf', format], { cwd: folder, encoding: 'latin1' });
  const fields = stdout.split('\0');
  const files: { path: string; what: string; inode: string }[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    files.push({ path: fields[at] ?? '', what: fields[at + 1] ?? '', inode: fields[at + 2] ?? '' });
  }
  const paths = new Map<string, string[]>();
  for (const { path, inode } of files) paths.set(inode, [...(paths.get(inode) ?? []), path].sort());
  const sums = await run('sh', ['-c', "find . -type f -exec md5sum -- '{}' + | sort"], { cwd: folder });
  const xattrs = await run('getfattr', ['-R', '-h', '-d', '-m', '-', '-e', 'hex', '.'], { cwd: folder });
  const described = files.map(({ path, what, inode }) => {
    // A directory's size is its filesystem's affair.
    const told = what.startsWith('d') ? what.replace(/^(d \S+ \S+ \S+) \d+/, '$1') : what;
    return `${path}: ${told} ${(paths.get(inode) ?? []).join('=')}`;
  });
  return [...described.sort(), sums.stdout, ...xattrs.stdout.split('\n\n').sort()];
}

async function migrate(lab: LabServer, root: string, tag: string) {
  const profile = join(root, '..', 'shopdb.yaml');
  writeFileSync(
    profile,
    `name: shopdb\nvolumes: [{ path: ${DATA}/, capture: volume }, { path: /opt/none, capture: volume }]\n`,
  );
  const access = ['--identity', lab.identity, '--known-hosts', lab.knownHosts, '--no-stop', '--json', '--no-adapt'];
  // Long enough for a change meanwhile, and without what logs in.
  const small = [
    ...['--limit-rate', '25M'],
    ...['/usr/share/**', '/data/**', '/var/log/**'].flatMap((path) => ['--exclude', path]),
  ];
  return startCli(['migrate', `root@${lab.address}`, ...access, ...small, '--profile', profile, '--tag', tag], {
    P2C_ROOT: root,
  });
}

const layoutIndex = z.object({
  manifests: z.array(z.looseObject({ digest: z.string(), artifactType: z.string().optional() })),
});
const volumeManifest = z.object({
  subject: z.object({ digest: z.string() }),
  annotations: z.record(z.string(), z.string()),
  layers: z.array(z.object({ digest: z.string() })),
});

function blob(root: string, digest: string): string {
  return join(root, 'blobs', digest.replace(':', '/'));
}

test.serial(
  'what moves in it meanwhile comes to the volume, and a container has all of it as the server does',
  async (t) => {
    if (server === undefined || !requirePrograms(t, ['umoci', 'skopeo', 'getfattr', 'setfacl', 'setcap'])) return;
    const lab = server;
    const root = join(await temporaryFolder(t), 'store');
    const p2c = (...words: string[]) => cli(words, { P2C_ROOT: root });
    const withVolume = (script: string) => p2c('run', '--rm', '-v', `db:${DATA}`, 'lab:one', 'sh', '-c', script);
    const withoutInit = (name: string, ...words: string[]) => p2c('run', '--rm', '--init', 'none', name, ...words);
    const running = await migrate(lab, root, 'lab:one');
    await lab.exec('until pgrep -f "^tar --create" >/dev/null; do sleep 0.02; done');
    await lab.exec(CHANGE);
    const ended = await running.ended;
    t.is(ended.code, 0, ended.stderr);
    const report = JSON.parse(ended.stdout);
    t.true(report.settle.rounds >= 1 && report.settle.removed >= 3, JSON.stringify(report.settle));

    for (const words of [
      ['image', 'validate'],
      ['image', 'receipt', '--check'],
    ]) {
      const { code, stdout, stderr } = await p2c(...words, 'lab:one');
      t.is(code, 0, `${words.join(' ')}: ${stdout}${stderr}`);
    }
    const line = await p2c('image', 'receipt', 'lab:one', '--path', `${DATA}/tables/new.ibd`, '--ndjson');
    t.like(JSON.parse(line.stdout), { verdict: 'captured', volume: DATA });
    const folder = await p2c('image', 'receipt', 'lab:one', '--path', DATA, '--ndjson');
    t.is(JSON.parse(folder.stdout.split('\n')[0] ?? '').volume, undefined, 'the folder itself is in the image');
    t.deepEqual(JSON.parse((await p2c('image', 'inspect', 'lab:one')).stdout)[0].Config.Volumes, {
      [`${DATA}/`]: {},
      '/opt/none': {},
    });

    // The image, without p2c: the folder with its owner, and nothing in it.
    const { manifests } = layoutIndex.parse(JSON.parse(readFileSync(join(root, 'index.json'), 'utf8')));
    const volumes = manifests.filter(({ artifactType }) => artifactType === 'application/vnd.p2c.volume.v1');
    t.is(volumes.length, 1);
    const stored = volumeManifest.parse(JSON.parse(readFileSync(blob(root, volumes[0]?.digest ?? ''), 'utf8')));
    t.is(stored.subject.digest, report.image.digest);
    t.deepEqual(stored.annotations, { 'io.p2c.volume.path': DATA });
    t.true(stored.layers.length >= 2);
    const bundle = join(await temporaryFolder(t), 'bundle');
    await run('umoci', ['unpack', '--image', `${root}:lab:one`, bundle], { maxBuffer: 1024 ** 3 });
    t.deepEqual(readdirSync(join(bundle, 'rootfs', DATA)), []);
    t.is(readFileSync(join(bundle, 'rootfs/opt/links/shared'), 'utf8'), 'shared\n');
    t.is(readFileSync(join(bundle, 'rootfs/etc/moved'), 'utf8'), 'etc\n');
    await run('skopeo', ['inspect', `oci:${root}:lab:one`]);
    const layout = join(await temporaryFolder(t), 'layout');
    const exported = await p2c('export', '--json', 'lab:one', `oci:${layout}`);
    t.is(exported.code, 0, exported.stderr);
    t.deepEqual(JSON.parse(exported.stdout).volumesLeft, []);
    for (const words of [['validate'], ['receipt', '--check']]) {
      const whole = await cli(['image', ...words, 'lab:one'], { P2C_ROOT: layout });
      t.is(whole.code, 0, whole.stdout + whole.stderr);
    }

    // A name, and none; each once.
    const script = `stat -c '%u %g %a' ${DATA} /opt/links/shared; cat ${DATA}/tables/again.ibd ${DATA}/folds; stat -c %h /opt/links/shared`;
    const first = await withVolume(script);
    t.is(first.stdout, '33 106 2770\n105 106 644\ntwo\nmore\nfile\n2\n', first.stderr);
    t.deepEqual(await tree(join(root, 'volumes/db/_data')), await tree(`${lab.rootDir}${DATA}`));
    const own = await withoutInit('lab:one', 'sh', '-c', `cat ${DATA}/turns/x; ls ${DATA} | wc -l`);
    t.is(own.stdout, 'in\n12\n', own.stderr);
    await withVolume(`rm -r ${DATA}/tables; echo mine > ${DATA}/folds`);
    const again = await withVolume(`cat ${DATA}/folds; ls ${DATA}/tables`);
    t.regex(again.stdout, /^mine\n$/);
    const unfilled = `type=volume,destination=${DATA},volume-nocopy`;
    const bare = await p2c('run', '--rm', '--mount', unfilled, 'lab:one', 'ls', '-A', DATA);
    t.is(bare.stdout, '', bare.stderr);

    // Two captures are compared with their volumes, an adapted image has the same, and all goes with the image.
    const later = await (await migrate(lab, root, 'lab:two')).ended;
    t.is(later.code, 0, later.stderr);
    t.notRegex((await p2c('image', 'diff', 'lab:one', 'lab:two')).stdout, new RegExp(DATA));
    await lab.exec(`echo after > ${DATA}/stays`);
    t.is((await (await migrate(lab, root, 'lab:two')).ended).code, 0);
    t.regex(
      (await p2c('image', 'diff', 'lab:one', 'lab:two')).stdout,
      new RegExp(`^differs\t${DATA}/stays\t.*content`, 'm'),
    );
    t.is((await p2c('image', 'adapt', 'lab:two', '--tag', 'lab:adapted')).code, 0);
    const adapted = await withoutInit('lab:adapted', 'cat', `${DATA}/stays`);
    t.is(adapted.stdout, 'after\n', adapted.stderr);
    t.is((await p2c('image', 'receipt', '--check', 'lab:adapted')).code, 0);
    for (const name of ['lab:one', 'lab:two', 'lab:adapted']) t.is((await p2c('image', 'rm', name)).code, 0);
    t.deepEqual(readdirSync(join(root, 'blobs/sha256')), []);
  },
);
