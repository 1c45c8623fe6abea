/** The CNI plugins of this machine: they make the networks of containers. */
import { dirname } from 'node:path';
import { findPlugin } from '../network/plugin.ts';

/** What the networks that p2c makes call. */
const NEEDED = ['bridge', 'macvlan', 'host-local', 'loopback', 'portmap', 'firewall'];

export interface CniPlugins {
  /** That of the first that was found; null where there is none. */
  readonly folder: string | null;
  readonly found: readonly string[];
  readonly missing: readonly string[];
}

/** @param find where a plugin lies, if anywhere. */
export function findCniPlugins(find: (name: string) => string | undefined = findPlugin): CniPlugins {
  const places = NEEDED.map((name) => ({ name, path: find(name) }));
  const [first] = places.flatMap(({ path }) => path ?? []);
  return {
    folder: first === undefined ? null : dirname(first),
    found: places.filter(({ path }) => path !== undefined).map(({ name }) => name),
    missing: places.filter(({ path }) => path === undefined).map(({ name }) => name),
  };
}
