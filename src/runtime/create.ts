/** Makes a container of an image: layers unpacked, bundle written, nothing started. */
import { usageError } from '../errors.ts';
import { servicesOf } from '../oci/services.ts';
import type { ImageStore } from '../oci/store.ts';
import { makeBundle } from './bundle/make.ts';
import { attainableLimits, checkInitCgroups } from './cgroup/attainable.ts';
import { commandOf } from './command-line.ts';
import { type Container, containerFolder, writeContainer } from './container.ts';
import { reserve } from './containers.ts';
import type { Engine } from './engine.ts';
import { resourcesFor } from './image-limits.ts';
import { networkFor } from './image-network.ts';
import { decideBoot } from './init/boot.ts';
import { bootedOptions } from './init/booted.ts';
import { stopSignalOf, stopTimeoutOf } from './init/stop.ts';
import { checkMemory } from './memory-limit.ts';
import { refuseTakenName } from './names.ts';
import { writeEtc } from './network/etc.ts';
import { provideNetworks } from './network/provide.ts';
import { networkRequest } from './network/resolve.ts';
import type { CreateOptions } from './options.ts';
import { bootId } from './process.ts';
import { holdBack } from './quarantine/quarantine.ts';
import { idMapKey, isRootless } from './rootless/user-namespace.ts';
import { devicesLeftOut, unpackLayer } from './snapshot.ts';
import { attainableUlimits } from './ulimit.ts';
import { contentsOf } from './volumes/content.ts';
import { discardWithVolumes } from './volumes/discard.ts';
import { provideVolumes } from './volumes/provide.ts';

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
  if (!isRootless()) requireRoot();
  checkHostname(options.hostname);
  checkMemory(options.memory, engine.name);
  if (options.name !== undefined) await refuseTakenName(store.root, options.name);
  const image = await store.find(imageName);
  // They go with the image alone: they are whole where it is still there afterwards.
  const contents = await contentsOf(store, image);
  // Its layers stay, and their snapshots, until the container's own record names them.
  await using _ = await store.use(image);
  const boot = decideBoot(options.init, image, options);
  if (boot.mode === 'system') checkInitCgroups(boot.cgroups);
  if (boot.mode === 'none') commandOf(image, options.entrypoint, options.command);
  attainableUlimits(options.ulimits);
  const { resources, lacks } = attainableLimits(resourcesFor(image, options, engine.name), options);
  const wish = networkFor(image, options.network);
  const network = await networkRequest(store.root, wish, image.config.config?.ExposedPorts ?? {});
  const descriptors = eachOnce(image.manifest.layers);
  const layers = [];
  for (const { digest, mediaType } of descriptors) {
    layers.unshift(await unpackLayer(store.root, { digest, mediaType, blobPath: store.blobPath(digest) }));
  }
  lacks.push(...(await leftOutText(store.root, descriptors)));
  const { id, name } = await reserve(store.root, options.name);
  const folder = containerFolder(store.root, id);
  try {
    const volumes = await provideVolumes(store.root, folder, image, { layers, contents }, options.mounts);
    const tmpfs = options.mounts.flatMap((wish) => ('tmpfs' in wish ? [wish.tmpfs] : []));
    const booted = bootedOptions(boot, image, layers, { ...options, ...resources, volumes, tmpfs });
    const bundle = makeBundle(id, folder, image, layers, booted);
    await provideNetworks(store.root, network);
    await writeEtc(store.root, folder, bundle.hostname, network);
    const definition = {
      id,
      name,
      image: { name: image.reference ?? imageName, digest: image.digest },
      layers: descriptors.map(({ digest }) => digest).reverse(),
      created: new Date().toISOString(),
      init: { mode: boot.mode, why: boot.why },
      stopSignal: options.stopSignal ?? stopSignalOf(boot, image),
      stopTimeout: options.stopTimeout ?? stopTimeoutOf(boot, image),
      restart: options.restart,
      ...(options.logMaxSize === undefined ? {} : { logMaxSize: options.logMaxSize }),
      autoRemove: options.autoRemove,
      interactive: options.interactive,
      privileged: options.privileged,
      engine: engine.name,
      network,
      ...(idMapKey() === undefined ? {} : { idMap: idMapKey() }),
      ...(lacks.length === 0 ? {} : { lacks }),
    };
    const container = { folder, definition };
    await writeContainer(container, bundle, { status: 'created', boot: bootId(), restarts: 0 });
    const services = boot.mode === 'services' ? servicesOf(image) : [];
    if (options.network.quarantine) await holdBack(folder, layers, services);
    return container;
  } catch (error) {
    await discardWithVolumes(store.root, { folder, definition: { id, name } });
    throw error;
  }
}

/**
 * overlayfs takes no folder twice (ELOOP), and two deltas of one image may well be the same. The topmost of them shows all
 * that the lower one would.
 * @param layers the lowest first.
 */
function eachOnce<Layer extends { readonly digest: string }>(layers: readonly Layer[]): Layer[] {
  return layers.filter(({ digest }, at) => layers.findLastIndex((other) => other.digest === digest) === at);
}

/** What of the image could not be made. */
async function leftOutText(root: string, layers: readonly { readonly digest: string }[]): Promise<string[]> {
  let count = 0;
  for (const { digest } of layers) count += await devicesLeftOut(root, digest);
  const nodes = count === 1 ? 'one device node' : `${count} device nodes`;
  return count === 0 ? [] : [`${nodes} of the image left out, for only root can make them`];
}

/** @param message what is not done without. @param hint the way that there is. @throws P2cError `runtime.root` (usage). */
export function requireRoot(message = 'containers are run by root', hint = 'sudo p2c …'): void {
  if (process.getuid?.() === 0 && !isRootless()) return;
  throw usageError(message, { code: 'runtime.root', hint });
}

/** Whether it can be a container's: what hostname(7) allows, and the underscores of old servers, which the kernel takes. */
export function isHostname(text: string): boolean {
  return /^[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_])?$/.test(text);
}

function checkHostname(hostname: string | undefined): void {
  if (hostname === undefined || isHostname(hostname)) return;
  throw usageError(`'${hostname}' is no host name`, {
    code: 'runtime.hostname',
    hint: 'up to 64 letters, digits, dots, dashes and underscores, no dot or dash at an end',
  });
}
