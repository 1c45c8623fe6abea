/** `--serial`: in which wave each host of a batch is. */
import type { QueuedHost } from './queue.ts';

/**
 * Numbers of the waves, from 0. None of a host's dependencies is in a later one than the host.
 * @param sizes of which the last counts for all that follow; without any there is one wave.
 */
export function wavesOf<Host extends QueuedHost>(hosts: readonly Host[], sizes: readonly number[]): Map<Host, number> {
  const waves = new Map<Host, number>();
  let left = dependenciesFirst(hosts);
  for (let wave = 0; left.length > 0; wave += 1) {
    const size = sizes[Math.min(wave, sizes.length - 1)] ?? left.length;
    for (const host of left.slice(0, size)) waves.set(host, wave);
    left = left.slice(size);
  }
  return waves;
}

/** In the hosts' order, but that none is before one that it comes after: a wave would wait for a later one, for ever. */
function dependenciesFirst<Host extends QueuedHost>(hosts: readonly Host[]): Host[] {
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const placed = new Set<Host>();
  const begun = new Set<Host>();
  const place = (host: Host): void => {
    if (begun.has(host)) return;
    begun.add(host);
    for (const name of host.after ?? []) {
      const first = byName.get(name);
      if (first !== undefined) place(first);
    }
    placed.add(host);
  };
  for (const host of hosts) place(host);
  return [...placed];
}

/**
 * `--serial` as Ansible has it: numbers of hosts, or shares of all of them; a share is at least one host.
 * @returns undefined where a word is neither.
 */
export function parseSerial(words: readonly string[], hosts: number): number[] | undefined {
  const sizes = words.map((word) => {
    const found = /^(?<count>\d{1,6})(?<share>%?)$/.exec(word);
    const count = Number(found?.groups?.['count'] ?? Number.NaN);
    return found?.groups?.['share'] === '%' ? Math.max(1, Math.floor((hosts * count) / 100)) : count;
  });
  return sizes.every((size) => Number.isInteger(size) && size >= 1) ? sizes : undefined;
}
