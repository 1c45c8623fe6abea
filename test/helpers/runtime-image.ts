/** Small images for the runner's tests: a static busybox in a store of the test's own. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join } from 'node:path';
import type { ExecutionContext } from 'ava';
import type { NewArtifact } from '../../src/oci/artifact.ts';
import { type Digest, digestOfHex } from '../../src/oci/digest.ts';
import type { Image } from '../../src/oci/image.ts';
import type { Layer } from '../../src/oci/layer.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { type ExecutionConfig, MediaType } from '../../src/oci/spec.ts';
import { ImageStore } from '../../src/oci/store.ts';
import { volumeArtifact } from '../../src/oci/volume-artifact.ts';
import type { LayerRoot } from '../../src/runtime/root-path.ts';
import { unpackLayer } from '../../src/runtime/snapshot.ts';
import { type RawEntry, rawTar } from './raw-tar.ts';
import { temporaryFolder } from './temporary.ts';

const BUSYBOX = '/bin/busybox';

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n';
const GROUP = 'root:x:0:\nweb:x:1000:\nlogs:x:44:root,web\n';

/** Files by path without the leading slash; a value is a text, or where a symbolic link leads. */
export type Tree = Readonly<Record<string, string | { readonly link: string }>>;

/** A tar of a root with busybox, all its applets, a passwd and a group, and what the test adds. */
export async function busyboxTar(t: ExecutionContext, more: Tree = {}): Promise<Buffer> {
  const root = await temporaryFolder(t);
  for (const folder of ['bin', 'etc', 'root', 'home/web', 'var/www'])
    mkdirSync(join(root, folder), { recursive: true });
  mkdirSync(join(root, 'tmp'), { mode: 0o1777 });
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  for (const applet of execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n')) {
    if (applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  plant(root, { 'etc/passwd': PASSWD, 'etc/group': GROUP, 'var/www/index.html': 'the page\n', ...more });
  return tarOf(root);
}

function plant(root: string, tree: Tree): void {
  for (const [path, what] of Object.entries(tree)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    if (typeof what === 'string') writeFileSync(join(root, path), what);
    else symlinkSync(what.link, join(root, path));
  }
}

/** A folder as a layer, all of it root's. */
export function tarOf(root: string): Buffer {
  return execFileSync(
    'tar',
    ['--format=pax', '--numeric-owner', '--owner=0', '--group=0', '-C', root, '-cf', '-', '.'],
    {
      maxBuffer: 64 * 1024 * 1024,
    },
  );
}

export interface TestStore {
  readonly root: string;
  readonly image: Image;
  /** Topmost first, unpacked. */
  unpack(): Promise<LayerRoot[]>;
}

/** Captured beside an image: by path their layers, the lowest first. */
export type Volumes = Readonly<Record<string, readonly Buffer[]>>;

/** A store with one image of these layers, the lowest first. */
export async function storeWith(
  t: ExecutionContext,
  layers: readonly Buffer[],
  execution: ExecutionConfig = {},
  name = 'test:latest',
  volumes: Volumes = {},
): Promise<TestStore> {
  const root = join(await temporaryFolder(t), 'store');
  await using store = await ImageStore.open(root, { create: true });
  const stored: Layer[] = [];
  for (const bytes of layers) stored.push(await storeLayer(store, bytes));
  const artifacts: NewArtifact[] = [];
  for (const [path, own] of Object.entries(volumes)) {
    const parts: Layer[] = [];
    for (const bytes of own) parts.push(await storeLayer(store, bytes));
    artifacts.push(volumeArtifact(path, parts));
  }
  const image = await store.addImage({
    artifacts,
    reference: parseReference(name),
    layers: stored,
    config: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      os: 'linux',
      config: execution,
      rootfs: { type: 'layers', diff_ids: stored.map(({ diffID }) => diffID) },
    },
  });
  const unpack = async (): Promise<LayerRoot[]> => {
    const roots: LayerRoot[] = [];
    for (const { digest, mediaType } of image.manifest.layers) {
      roots.unshift(await unpackLayer(root, { digest, mediaType, blobPath: store.blobPath(digest) }));
    }
    return roots;
  };
  return { root, image, unpack };
}

/** A store with the image `test:latest`, in which these folders are empty: a file `row` of each was captured beside it. */
export async function storeWithVolumes(t: ExecutionContext, paths: readonly string[]): Promise<TestStore> {
  const down = (...folders: readonly string[]): RawEntry[] =>
    [...new Set(['/', ...folders.flatMap((path) => [`${dirname(path)}/`, `${path}/`])])].map((path) => ({
      name: `.${path}`,
      type: '5',
    }));
  const volumes = paths.map((path) => {
    const row = { name: `.${path}/row`, content: 'of the volume' };
    return [path, [rawTar([...down(path), row])]] as const;
  });
  const execution = { Cmd: ['/bin/sh'], Volumes: Object.fromEntries(paths.map((path) => [path, {}])) };
  const layers = [await busyboxTar(t), rawTar(down(...paths))];
  return storeWith(t, layers, execution, 'test:latest', Object.fromEntries(volumes));
}

async function storeLayer(store: ImageStore, bytes: Buffer): Promise<Layer> {
  await using blob = await store.createBlob();
  await blob.write([bytes]);
  const { digest, size } = await blob.commit();
  return { mediaType: MediaType.layerTar, digest, diffID: digest, size };
}

export function sha256(bytes: Buffer): Digest {
  return digestOfHex(createHash('sha256').update(bytes).digest('hex'));
}
