/**
 * Paths inside an image, resolved without ever leaving it. The image's layers lie unpacked side by side; what a
 * container will see is their merged view, and every symbolic link in it is read as the container would read it: against
 * the image's own root. Nothing here asks the kernel to follow a link.
 */
import { type BigIntStats, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { P2cError, systemCode } from '../errors.ts';

/** An unpacked layer. */
export interface LayerRoot {
  readonly folder: string;
  /** Directories, as `/a/b`, that hide what lower layers have in them. */
  readonly opaque: ReadonlySet<string>;
}

/** What lies at a path. `path` is its real place in the root, no component of it a symbolic link. */
export interface Resolved {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'missing';
  /** Where its topmost layer has it on this machine; undefined where missing. */
  readonly hostPath: string | undefined;
}

/** As the kernel's own limit (path_resolution(7)). */
const MAX_LINKS = 40;

/** A directory of the merged view: the layers' directories, topmost first. */
interface Merged {
  readonly path: string;
  readonly folders: readonly { readonly hostPath: string; readonly layer: LayerRoot }[];
}

type Child =
  | { readonly kind: 'directory'; readonly node: Merged }
  | { readonly kind: 'link' | 'file'; readonly hostPath: string }
  | undefined;

/**
 * @param layers topmost first.
 * @param path absolute in the root; `..` at the root stays there, as chroot has it.
 * @throws P2cError `runtime.path`: more than 40 links, a component that is no directory, a link that is not UTF-8.
 */
export function resolveInRoot(layers: readonly LayerRoot[], path: string): Resolved {
  const root: Merged = { path: '/', folders: layers.map((layer) => ({ hostPath: layer.folder, layer })) };
  const stack: Merged[] = [root];
  const waiting = componentsOf(path).reverse();
  let links = 0;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === '..') {
      if (stack.length > 1) stack.pop();
      continue;
    }
    const parent = stack.at(-1) ?? root;
    const child = childOf(parent, name);
    if (child === undefined) return missing(parent, [name, ...waiting.reverse()], path);
    if (child.kind === 'directory') stack.push(child.node);
    else if (child.kind === 'file') {
      if (waiting.length > 0) throw unusable(path, `'${join(parent.path, name)}' in it is no directory`);
      return { path: join(parent.path, name), kind: 'file', hostPath: child.hostPath };
    } else {
      links += 1;
      if (links > MAX_LINKS) throw unusable(path, `it goes through more than ${MAX_LINKS} symbolic links`);
      const target = linkTarget(child.hostPath, path);
      if (target.startsWith('/')) stack.length = 1;
      waiting.push(...componentsOf(target).reverse());
    }
  }
  const found = stack.at(-1) ?? root;
  return { path: found.path, kind: 'directory', hostPath: found.folders[0]?.hostPath };
}

/** Where a path really lies; undefined where it cannot be followed. */
export function placeInRoot(layers: readonly LayerRoot[], path: string): string | undefined {
  try {
    return resolveInRoot(layers, path).path;
  } catch (error) {
    if (error instanceof P2cError) return undefined;
    throw error;
  }
}

/**
 * The names in a directory of the root, those that are UTF-8; none where there is no such directory.
 * @throws P2cError `runtime.path` as `resolveInRoot`.
 */
export function namesInRoot(layers: readonly LayerRoot[], path: string): string[] {
  let node: Merged = { path: '/', folders: layers.map((layer) => ({ hostPath: layer.folder, layer })) };
  for (const name of componentsOf(resolveInRoot(layers, path).path)) {
    const child = childOf(node, name);
    if (child?.kind !== 'directory') return [];
    node = child.node;
  }
  const names = new Set(node.folders.flatMap(({ hostPath }) => readdirSync(hostPath)));
  return [...names].filter((name) => childOf(node, name) !== undefined).sort();
}

function componentsOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

function missing(parent: Merged, names: readonly string[], path: string): Resolved {
  if (names.includes('..')) throw unusable(path, `'..' in it follows '${names[0]}', which does not exist`);
  return { path: join(parent.path, ...names), kind: 'missing', hostPath: undefined };
}

/** What the overlay shows under a name: the topmost layer's entry, directories merged downwards until one hides the rest. */
function childOf(parent: Merged, name: string): Child {
  const folders: { hostPath: string; layer: LayerRoot }[] = [];
  const path = join(parent.path, name);
  for (const { hostPath, layer } of parent.folders) {
    const child = join(hostPath, name);
    const stats = lstatOrMissing(child);
    if (stats === undefined) continue;
    if (stats.isDirectory()) {
      folders.push({ hostPath: child, layer });
      if (layer.opaque.has(path)) break;
      continue;
    }
    if (folders.length > 0 || isWhiteout(stats)) break;
    return { kind: stats.isSymbolicLink() ? 'link' : 'file', hostPath: child };
  }
  return folders.length === 0 ? undefined : { kind: 'directory', node: { path, folders } };
}

function lstatOrMissing(path: string): BigIntStats | undefined {
  try {
    return lstatSync(path, { bigint: true });
  } catch (error) {
    // A name that no filesystem takes is a name that no layer has.
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(systemCode(error) ?? '')) return undefined;
    throw error;
  }
}

/** Overlayfs: a character device 0:0 hides the name in the layers below. */
function isWhiteout(stats: BigIntStats): boolean {
  return stats.isCharacterDevice() && stats.rdev === 0n;
}

function linkTarget(hostPath: string, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readlinkSync(hostPath, 'buffer'));
  } catch (error) {
    throw unusable(path, 'it goes through a symbolic link whose target is not UTF-8', error);
  }
}

function unusable(path: string, why: string, cause?: unknown): P2cError {
  return new P2cError(`'${path}' of the image cannot be used: ${why}`, {
    code: 'runtime.path',
    hint: 'the image itself is so made; name another path',
    cause,
  });
}
