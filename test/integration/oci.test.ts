/** What other programs make of images that come out of the store. */
import { execFile } from 'node:child_process';
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { applyChanges, parseChange } from '../../src/oci/change.ts';
import { architectureOf, newConfig } from '../../src/oci/config.ts';
import { hexOf } from '../../src/oci/digest.ts';
import type { Image } from '../../src/oci/image.ts';
import type { Layer } from '../../src/oci/layer.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { validateLayout } from '../../src/oci/validation/layout.ts';
import { cli } from '../helpers/cli.ts';
import { startPodman } from '../helpers/podman.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { storeWithVolumes } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { seeTree } from '../helpers/tree.ts';

const run = promisify(execFile);
const LIMIT = 64 * 1024 * 1024;
const CHANGES = ['USER 1000', 'VOLUME /opt/IBM', 'EXPOSE 80', 'ENV A="b c"', 'LABEL x=y', 'WORKDIR /srv'];

async function plantTree(t: ExecutionContext): Promise<string> {
  const root = await temporaryFolder(t);
  for (const folder of ['etc', 'srv/deep', 'tmp']) mkdirSync(join(root, folder), { recursive: true });
  writeFileSync(join(root, 'etc/motd'), 'an old server\n');
  writeFileSync(join(root, `srv/deep/${'long-'.repeat(40)}name`), 'x'.repeat(100_000));
  writeFileSync(join(root, 'srv/ünïcode and spaces'), '');
  linkSync(join(root, 'etc/motd'), join(root, 'srv/same'));
  writeFileSync(join(root, 'srv/one'), 'two names\n');
  linkSync(join(root, 'srv/one'), join(root, 'srv/deep/two'));
  symlinkSync('/nowhere/at all', join(root, 'srv/dangling'));
  const script = `chown -h 70000:12 srv/dangling srv/same; chmod 4755 srv/same; chmod 1777 tmp; mkfifo -m 600 srv/pipe
    cp /bin/true srv/ping; setcap cap_net_raw+ep srv/ping
    find . -exec touch -h -d '2009-08-07 06:05:04.030201000' '{}' +`;
  await run('sh', ['-ec', script], { cwd: root });
  return root;
}

/** The tree as two layers: /etc, and all the rest. */
async function storeTree(tree: string, root: string): Promise<Image> {
  const parts = [
    ['--no-recursion', '.', './etc', './etc/motd'],
    ['--exclude=./etc', '.'],
  ];
  await using store = await ImageStore.open(root, { create: true });
  const layers: Layer[] = [];
  for (const part of parts) layers.push(await storeTar(store, tree, part));
  const config = newConfig({
    ...architectureOf('x86_64'),
    created: new Date('2026-01-02T03:04:05Z'),
    layers,
    comment: 'from the rack',
    createdBy: 'a test',
    labels: { 'io.p2c.source': 'nowhere' },
    command: ['/bin/sh'],
    environment: ['PATH=/bin'],
    volumes: [],
    ports: [],
  });
  const changed = applyChanges(config, CHANGES.map(parseChange));
  // Awaited here, for the store is disposed of on the way out.
  return await store.addImage({ reference: parseReference('lab'), layers, config: changed });
}

async function storeTar(store: ImageStore, tree: string, what: readonly string[]): Promise<Layer> {
  const args = ['--format=pax', '--xattrs', '--xattrs-include=*', '--numeric-owner', '-C', tree, '-cf', '-', ...what];
  const { stdout } = await run('tar', args, { encoding: 'buffer', maxBuffer: LIMIT });
  await using blob = await store.createBlob();
  await blob.write([stdout]);
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

test('podman, skopeo and umoci take the image by its name, and umoci unpacks the very tree', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman', 'skopeo', 'umoci', 'setcap', 'getfattr'])) return;
  const tree = await plantTree(t);
  const root = join(await temporaryFolder(t), 'store');
  const image = await storeTree(tree, root);
  t.deepEqual((await validateLayout(root)).faults, []);

  const skopeo = JSON.parse((await run('skopeo', ['inspect', `oci:${root}:lab:latest`])).stdout);
  t.is(skopeo.Digest, image.digest);
  t.is(skopeo.Architecture, 'amd64');
  t.deepEqual(skopeo.Env, ['PATH=/bin', 'A=b c']);
  t.deepEqual(
    skopeo.Layers,
    image.manifest.layers.map((layer) => layer.digest),
  );

  const podman = await startPodman(t);
  t.is(await podman('pull', '-q', `oci:${root}:lab:latest`), hexOf(image.configDigest));

  const bundle = join(await temporaryFolder(t), 'bundle');
  await run('umoci', ['unpack', '--image', `${root}:lab:latest`, bundle]);
  const unpacked = await seeTree(join(bundle, 'rootfs'));
  for (const [path, seen] of await seeTree(tree)) {
    // Names of one inode that are in two layers are two files.
    const split = path === '/etc/motd' || path === '/srv/same';
    const expected = split ? { ...seen, linkedWith: '' } : seen;
    t.deepEqual({ ...unpacked.get(path), changed: 0 }, { ...expected, changed: 0 }, path);
  }
});

test('podman pulls and runs an image by its name, though what was captured as a volume lies beside it', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman', 'runc', 'skopeo'])) return;
  const { root, image } = await storeWithVolumes(t, ['/srv/db', '/srv/more']);
  const types = await layoutTypes(root);
  t.deepEqual(types, ['', 'application/vnd.p2c.volume.v1', 'application/vnd.p2c.volume.v1']);
  t.is(JSON.parse((await run('skopeo', ['inspect', `oci:${root}:test:latest`])).stdout).Digest, image.digest);

  const podman = await startPodman(t);
  const id = await podman('pull', '-q', `oci:${root}:test:latest`);
  t.is(id, hexOf(image.configDigest));
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1024:1024', '--network', 'none'];
  const script = 'cat /var/www/index.html; ls -A /srv /srv/db';
  const seen = await podman('--runtime', 'runc', 'run', '--rm', ...limits, id, 'sh', '-c', script);
  t.is(seen, 'the page\n/srv:\ndb\nmore\n\n/srv/db:', 'the folders are there, and nothing is in them');
});

/** Of each manifest in the layout's index, what kind of artifact it is: '' for an image. */
async function layoutTypes(root: string): Promise<string[]> {
  const index = z.object({ manifests: z.array(z.object({ artifactType: z.string().nullish() })) });
  const { manifests } = index.parse(JSON.parse(await readFile(join(root, 'index.json'), 'utf8')));
  return manifests.map(({ artifactType }) => artifactType ?? '').sort();
}

test('p2c image inspect says what podman says of the same image', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman', 'setcap'])) return;
  const root = join(await temporaryFolder(t), 'store');
  await storeTree(await plantTree(t), root);
  const podman = await startPodman(t);
  const id = await podman('pull', '-q', `oci:${root}:lab:latest`);
  const [theirs] = JSON.parse(await podman('image', 'inspect', id));
  const { stdout, code } = await cli(['image', 'inspect', 'lab'], { P2C_ROOT: root });
  t.is(code, 0);
  const [ours] = JSON.parse(stdout);
  // Where it lies in podman's storage is podman's own business.
  const own = new Set(['GraphDriver', 'HealthCheck']);
  t.deepEqual(
    Object.keys(theirs).filter((key) => !own.has(key) && !Object.hasOwn(ours, key)),
    [],
  );
  const alike = ['Id', 'Digest', 'Comment', 'Config', 'Author', 'Architecture', 'Os', 'RootFS', 'Labels'];
  for (const key of [...alike, 'ManifestType', 'User']) t.deepEqual(ours[key], theirs[key], key);
  t.deepEqual(ours.History.map(atTime), theirs.History.map(atTime));
  t.is(Date.parse(ours.Created), Date.parse(theirs.Created));
  const format = ['image', 'inspect', '--format', '{{.Id}} {{json .Config.Env}} {{.Config.WorkingDir}}', id];
  t.is((await cli(format, { P2C_ROOT: root })).stdout.trim(), await podman(...format));
});

test('an image that umoci made is listed and inspected under the name it has', async (t) => {
  if (!requirePrograms(t, ['umoci'])) return;
  const root = join(await temporaryFolder(t), 'store');
  await run('umoci', ['init', '--layout', root]);
  for (const name of ['latest', 'lab:v1']) await run('umoci', ['new', '--image', `${root}:${name}`]);
  const { stdout } = await cli(['images'], { P2C_ROOT: root });
  t.deepEqual(stdout.match(/^\S+ +\S+/gm)?.sort(), ['<none>      latest', 'REPOSITORY  TAG', 'lab         v1']);
  const inspected = await cli(['image', 'inspect', '--format', '{{.RepoTags}} {{.RepoDigests}}', 'latest'], {
    P2C_ROOT: root,
  });
  t.regex(inspected.stdout, /^\["latest"\] \[\]$/m);
});

/** podman writes a time without its empty milliseconds. */
function atTime(entry: { readonly created: string }): object {
  return { ...entry, created: Date.parse(entry.created) };
}

/** Where podman's words and a Dockerfile's mean the same. */
const SAME: readonly string[] = [
  'CMD ["a","b c"]',
  'CMD=["a","b"]',
  'CMD echo hi there',
  'CMD ["a", ',
  'cmd /bin/x',
  'ENTRYPOINT ["/e"]',
  'ENTRYPOINT /e x',
  'ENTRYPOINT=/e',
  'ENV A=1',
  'ENV=A=1',
  'ENV A="b c"',
  'ENV A=',
  'EXPOSE 80',
  'EXPOSE=80/udp',
  'EXPOSE 53/tcp',
  'LABEL a=b',
  'LABEL "a b"=c',
  'STOPSIGNAL=15',
  'USER root',
  'USER=web:web',
  'USER 1000',
  'VOLUME /opt/IBM',
  'VOLUME=/opt/IBM',
  'VOLUME ["/a","/b c"]',
  'VOLUME /a /b',
  'WORKDIR /x',
  'WORKDIR=/x/../y',
];
const REFUSED: readonly string[] = [
  'EXPOSE 0',
  'EXPOSE 65536',
  'EXPOSE http',
  'LABEL a',
  'RUN x',
  'STOPSIGNAL NONSENSE',
];

test('--change does what podman import -c does', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['podman'])) return;
  const podman = await startPodman(t);
  const tar = join(await temporaryFolder(t), 'empty.tar');
  await run('tar', ['-cf', tar, '-T', '/dev/null']);
  const empty = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' as const, diff_ids: [] } };
  for (const text of SAME) {
    const id = await podman('import', '-q', '-c', text, tar);
    const theirs = JSON.parse(await podman('image', 'inspect', '--format', '{{json .Config}}', id));
    const { config } = applyChanges(empty, [parseChange(text)]);
    // An entry point takes the command with it: an empty list is none.
    const ours = Object.fromEntries(
      Object.entries(config ?? {}).filter(([key, value]) => key !== 'Cmd' || `${value}` !== ''),
    );
    t.deepEqual(ours, theirs, text);
  }
  for (const text of REFUSED) {
    await t.throwsAsync(podman('import', '-q', '-c', text, tar), undefined, text);
    t.throws(() => parseChange(text), { code: 'change.invalid' }, text);
  }
});
