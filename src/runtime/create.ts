/** Makes a container of an image: layers unpacked, bundle written, nothing started. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { join } from 'node:path';
import { P2cError, usageError } from '../errors.ts';
import type { ImageStore } from '../oci/store.ts';
import { makeBundle } from './bundle/make.ts';
import { ETC_FILES } from './bundle/mounts.ts';
import { commandOf } from './command-line.ts';
import { type Container, containerFolder, writeContainer } from './container.ts';
import { discard, refuseTakenName, reserve } from './containers.ts';
import type { Engine } from './engine.ts';
import type { CreateOptions, NetworkOptions } from './options.ts';
import { identifyProcess, type ProcessIdentity } from './process.ts';
import { unpackLayer } from './snapshot.ts';
import { attainableUlimits } from './ulimit.ts';

/**
 * @param imageName as `ImageStore.find` takes it.
 * @param engine the one that will run it.
 * @throws P2cError usage errors before anything is made, but for those that need the unpacked image.
 */
export async function createContainer(
  store: ImageStore,
  imageName: string,
  options: CreateOptions,
  engine: Engine,
): Promise<Container> {
  requireRoot();
  checkHostname(options.hostname);
  if (options.name !== undefined) await refuseTakenName(store.root, options.name);
  const image = await store.find(imageName);
  commandOf(image, options.entrypoint, options.command);
  attainableUlimits(options.ulimits);
  const layers = [];
  for (const { digest, mediaType } of image.manifest.layers) {
    layers.unshift(await unpackLayer(store.root, { digest, mediaType, blobPath: store.blobPath(digest) }));
  }
  const { id, name } = await reserve(store.root, options.name);
  const folder = containerFolder(store.root, id);
  try {
    const bundle = makeBundle(id, folder, image, layers, options);
    await writeEtc(folder, bundle.hostname, options.network);
    const definition = {
      id,
      name,
      image: { name: image.reference ?? imageName, digest: image.digest },
      layers: image.manifest.layers.map(({ digest }) => digest).reverse(),
      created: new Date().toISOString(),
      stopSignal: image.config.config?.StopSignal ?? 'SIGTERM',
      autoRemove: options.autoRemove,
      interactive: options.interactive,
      privileged: options.privileged,
      engine: engine.name,
    };
    const container = { folder, definition };
    await writeContainer(container, bundle, { status: 'created', monitor: ownIdentity() });
    return container;
  } catch (error) {
    await discard(store.root, { id, name });
    throw error;
  }
}

/** p2c's own process. */
export function ownIdentity(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  if (identity !== undefined) return identity;
  throw new P2cError('p2c does not find its own process in /proc', { code: 'runtime.proc', hint: 'mount /proc' });
}

/** @throws P2cError `runtime.root` (usage). */
export function requireRoot(): void {
  if (process.getuid?.() === 0) return;
  throw usageError('containers are run by root', { code: 'runtime.root', hint: 'sudo p2c …' });
}

function checkHostname(hostname: string | undefined): void {
  if (hostname === undefined || /^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,62}[A-Za-z0-9])?$/.test(hostname)) return;
  throw usageError(`'${hostname}' is no host name`, {
    code: 'runtime.hostname',
    hint: 'up to 64 letters, digits, dots and dashes (hostname(7))',
  });
}

/** On the machine's own network a container sees its hosts and name servers; with none it has only itself. */
async function writeEtc(folder: string, hostname: string, network: NetworkOptions['network']): Promise<void> {
  const shared = network === 'host';
  const local = `127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.0.1\t${hostname}\n`;
  const own = shared && hostname !== machineName() ? `127.0.0.1\t${hostname}\n` : '';
  const contents: Record<(typeof ETC_FILES)[number], string> = {
    hosts: shared ? `${await readOrEmpty('/etc/hosts')}${own}` : local,
    hostname: `${hostname}\n`,
    'resolv.conf': shared ? await readOrEmpty('/etc/resolv.conf') : '',
  };
  for (const name of ETC_FILES) {
    await rm(join(folder, name), { force: true });
    await writeFile(join(folder, name), contents[name], { mode: 0o644 });
  }
}

async function readOrEmpty(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
