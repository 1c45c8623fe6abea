/** Images that leave the store: a real registry, podman, and files that podman loads. */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { Image } from '../../src/oci/image.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { volumesOf } from '../../src/oci/volume-artifact.ts';
import { byteStringFromText } from '../../src/printable.ts';
import type { ReceiptLine } from '../../src/report/receipt/form.ts';
import { writeReceipt } from '../../src/report/receipt/write.ts';
import { cli, startCli } from '../helpers/cli.ts';
import { startPodman } from '../helpers/podman.ts';
import { freePort } from '../helpers/port.ts';
import { rawTar } from '../helpers/raw-tar.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';
import { busyboxTar, storeWith, storeWithVolumes } from '../helpers/runtime-image.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);

/** @returns the address of a registry without TLS. */
async function startRegistry(t: ExecutionContext): Promise<string> {
  const folder = await temporaryFolder(t);
  const address = `127.0.0.1:${await freePort()}`;
  const config = `version: 0.1\nstorage: { filesystem: { rootdirectory: ${folder} } }\nhttp: { addr: ${address} }\n`;
  await writeFile(join(folder, 'config.yml'), config);
  const registry = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: 'ignore' });
  t.teardown(() => registry.kill());
  for (let tries = 0; tries < 200; tries += 1) {
    const up = await fetch(`http://${address}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return address;
    await pause(100);
  }
  throw new Error('the registry does not answer');
}

test('an image is pushed into a registry, and is there what it is here', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo', 'docker-registry'])) return;
  const { root } = await storeWith(t, [await busyboxTar(t)]);
  const registry = await startRegistry(t);
  const pushed = await cli(['push', '--tls-verify=false', 'test:latest', `${registry}/shop/old:1`, '--json'], {
    P2C_ROOT: root,
  });
  t.is(pushed.code, 0, pushed.stderr);
  t.like(JSON.parse(pushed.stdout), { image: 'test:latest', destination: `docker://${registry}/shop/old:1` });
  const there = await run('skopeo', ['inspect', '--config', '--tls-verify=false', `docker://${registry}/shop/old:1`]);
  const here = await run('skopeo', ['inspect', '--config', `oci:${root}:test:latest`]);
  t.is(there.stdout, here.stdout);

  const refused = await cli(['push', 'test', `${registry}/shop/old`], { P2C_ROOT: root });
  t.is(refused.code, 1, 'it does not speak HTTPS');
  t.regex(refused.stderr, /skopeo ended with exit code 1/);
});

test('podman takes an image by its store and by files', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo', 'podman'])) return;
  const { root } = await storeWith(t, [await busyboxTar(t)]);
  const folder = await temporaryFolder(t);
  const graph = join(folder, 'graph');
  const runRoot = join(folder, 'run');
  const storage = join(folder, 'storage.conf');
  await writeFile(storage, `[storage]\ndriver = "vfs"\ngraphroot = "${graph}"\nrunroot = "${runRoot}"\n`);
  const stored = await cli(['export', 'test', 'podman'], { P2C_ROOT: root, CONTAINERS_STORAGE_CONF: storage });
  t.is(stored.code, 0, stored.stderr);
  t.is(stored.stdout, 'containers-storage:localhost/test:latest\n');
  const own = ['--root', graph, '--runroot', runRoot, '--storage-driver', 'vfs'];
  const images = await run('podman', [...own, 'images', '--format', '{{.Repository}}:{{.Tag}}']);
  t.is(images.stdout.trim(), 'localhost/test:latest');

  for (const form of ['oci-archive', 'docker-archive']) {
    const file = join(folder, `${form}.tar`);
    const exported = await cli(['export', 'test', `${form}:${file}`], { P2C_ROOT: root });
    t.is(exported.code, 0, exported.stderr);
    const podman = await startPodman(t);
    t.regex(await podman('load', '-q', '-i', file), /test:latest$/);
    const again = await cli(['export', 'test', `${form}:${file}`], { P2C_ROOT: root });
    t.is(again.code, 2, 'it is there already');
  }
});

test('what fails leaves no file', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo'])) return;
  const { root, image } = await storeWith(t, [await busyboxTar(t)]);
  const folder = await temporaryFolder(t);
  const hex = image.manifest.layers[0]?.digest.slice('sha256:'.length) ?? '';
  await run('truncate', ['-s', '-1', join(root, 'blobs/sha256', hex)]);
  const file = join(folder, 'old.tar');
  const damaged = await cli(['export', 'test', `docker-archive:${file}`], { P2C_ROOT: root });
  t.is(damaged.code, 1, damaged.stderr);
  t.false(existsSync(file));
  const nowhere = await cli(['export', 'test', `docker-archive:${folder}/none/old.tar`], { P2C_ROOT: root });
  t.is(nowhere.code, 2);
  t.is((await cli(['export', 'none', 'podman'], { P2C_ROOT: root })).code, 2);
});

/** Folders that were captured beside the image; one with a name that a terminal would obey. */
const VOLUMES = ['/srv/db', '/srv/odd\x1b[2J'] as const;

const LEFT_LINE =
  'p2c: not copied: /srv/db, /srv/odd\\x1b[2J, captured as volumes beside the image: skopeo copies the image alone\n';

test('volumes captured beside an image stay behind: told, with exit code 3, and the image is whole', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo', 'podman', 'docker-registry'])) return;
  const { root, image } = await storeWithVolumes(t, VOLUMES);
  const p2c = (...words: string[]) => cli(words, { P2C_ROOT: root });
  const folder = await temporaryFolder(t);
  const config = (await run('skopeo', ['inspect', '--config', `oci:${root}:test:latest`])).stdout;

  const registry = await startRegistry(t);
  const pushed = await p2c('push', '--tls-verify=false', '--json', 'test', `${registry}/shop/old:1`);
  t.is(pushed.code, 3, pushed.stderr);
  t.deepEqual(JSON.parse(pushed.stdout), {
    image: 'test:latest',
    digest: image.digest,
    destination: `docker://${registry}/shop/old:1`,
    volumesLeft: VOLUMES,
    receiptLeft: false,
  });
  t.true(pushed.stderr.endsWith(LEFT_LINE), pushed.stderr);
  const there = ['--config', '--tls-verify=false', `docker://${registry}/shop/old:1`];
  t.is((await run('skopeo', ['inspect', ...there])).stdout, config);

  for (const form of ['oci-archive', 'docker-archive']) {
    const file = join(folder, `${form}.tar`);
    const exported = await p2c('export', '--json', 'test', `${form}:${file}`);
    t.is(exported.code, 3, exported.stderr);
    t.deepEqual(JSON.parse(exported.stdout).volumesLeft, VOLUMES);
    const podman = await startPodman(t);
    const [, name = ''] = /: (\S+)$/.exec(await podman('load', '-q', '-i', file)) ?? [];
    const [loaded] = JSON.parse(await podman('image', 'inspect', name));
    t.deepEqual(loaded.RootFS.Layers, JSON.parse(config).rootfs.diff_ids, form);
    t.deepEqual(Object.keys(loaded.Config.Volumes), VOLUMES);
  }
});

test('into another layout everything goes along, digest for digest: volumes, and a receipt that holds there', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo'])) return;
  const { root, image } = await storeWithVolumes(t, VOLUMES);
  const layout = join(await temporaryFolder(t), 'layout');
  for (const name of ['', ':again']) {
    const exported = await cli(['export', '--json', 'test', `oci:${layout}${name}`], { P2C_ROOT: root });
    t.is(exported.code, 0, exported.stderr);
    t.like(JSON.parse(exported.stdout), { volumesLeft: [], receiptLeft: false });
    const validated = await cli(['image', 'validate', '--all'], { P2C_ROOT: layout });
    t.is(validated.code, 0, validated.stdout);
  }
  const there = await ImageStore.open(layout);
  const copied = await there.find('again');
  t.is(copied.digest, image.digest);
  const paths = (await volumesOf(there, copied)).map(({ path }) => path);
  t.deepEqual(paths, VOLUMES);
  const onwards = await cli(['export', 'test', `oci-archive:${layout}.tar`], { P2C_ROOT: layout });
  t.is(onwards.code, 3, 'they are left now');
});

test('a receipt goes into another layout, and is named where it stays behind', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['skopeo'])) return;
  const folder = await temporaryFolder(t);
  const { root, image } = await storeWith(t, [rawTar([{ name: './', type: '5' }])]);
  await addReceipt(root, image);
  const layout = join(folder, 'layout');
  const exported = await cli(['export', 'Receipt', `oci:${layout}`], { P2C_ROOT: root });
  t.is(exported.code, 0, exported.stderr);
  t.false(exported.stderr.includes('not copied'));
  const checked = await cli(['image', 'receipt', '--check', 'Receipt'], { P2C_ROOT: layout });
  t.is(checked.code, 0, checked.stdout + checked.stderr);
  t.regex(checked.stdout, /the receipt holds \(1 path\)/);
  const archived = await cli(['export', '--json', 'Receipt', `oci-archive:${folder}/a.tar`], { P2C_ROOT: root });
  t.is(archived.code, 0, archived.stderr);
  t.regex(archived.stderr, /^p2c: not copied: the receipt: /m);
  t.like(JSON.parse(archived.stdout), { volumesLeft: [], receiptLeft: true });
});

test('into a store in use: what is removed here, or collected there, meanwhile harms nothing', async (t) => {
  const folder = await temporaryFolder(t);
  const { root, image } = await storeWith(t, [rawTar([{ name: './', type: '5' }]), rawTar([{ name: 'a' }])]);
  await addReceipt(root, image);
  const other = await storeWith(t, [rawTar([{ name: './', type: '5' }, { name: 'b' }])], {}, 'other:1');
  const layout = join(folder, 'layout');
  for (const name of ['old', 'new']) {
    const begun = await cli(['export', 'other:1', `oci:${layout}:${name}`], { P2C_ROOT: other.root });
    t.is(begun.code, 0, begun.stderr);
  }
  const [first, last] = image.manifest.layers.map(({ digest }) => digest.slice('sha256:'.length));
  // A blob that does not come before the test sends it.
  const pipe = join(root, 'blobs/sha256', last ?? '');
  const bytes = await readFile(pipe);
  await rm(pipe);
  await run('mkfifo', [pipe]);
  const exporting = startCli(['export', '--json', 'Receipt', `oci:${layout}`], { P2C_ROOT: root });
  while (!existsSync(join(layout, 'blobs/sha256', first ?? ''))) await pause(20);
  const sending = await open(pipe, 'w');
  t.is((await cli(['image', 'rm', 'old'], { P2C_ROOT: layout })).code, 0);
  t.is((await cli(['image', 'rm', 'test', 'Receipt'], { P2C_ROOT: root })).code, 0);
  await sending.writeFile(bytes);
  await sending.close();
  const { code, stdout, stderr } = await exporting.ended;
  t.is(code, 0, stderr);
  t.like(JSON.parse(stdout), { digest: image.digest, receiptLeft: false });
  const validated = await cli(['image', 'validate', '--all'], { P2C_ROOT: layout });
  t.is(validated.code, 0, validated.stdout);
  const receipt = await cli(['image', 'receipt', 'Receipt'], { P2C_ROOT: layout });
  t.is(receipt.code, 0, receipt.stderr);
});

/** The image once more, as `Receipt`, a name as umoci gives them. */
async function addReceipt(root: string, { manifest, config }: Image): Promise<void> {
  await using store = await ImageStore.open(root);
  const layers = manifest.layers.map((layer) => ({ ...layer, diffID: layer.digest }));
  const header = {
    receipt: 1 as const,
    source: 'root@old:22',
    captured: '2026-11-24T00:00:00.000Z',
    layers: layers.map(({ digest }) => digest),
    rules: [],
    skipped: [],
  };
  async function* lines(): AsyncGenerator<readonly ReceiptLine[]> {
    yield [{ path: byteStringFromText('/'), type: 'd', verdict: 'captured', layer: 0 }];
  }
  const { artifact } = await writeReceipt(store, header, lines());
  await store.addImage({ reference: { name: 'Receipt' }, layers, config, artifacts: [artifact] });
}
