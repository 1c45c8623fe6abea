/** Takes a container away whose records cannot be read. */
import { removeCgroups } from './cgroup/container-cgroup.ts';
import { containerFolder } from './container.ts';
import { discard } from './containers.ts';
import type { DamagedContainer } from './damaged.ts';
import { commandLines, engineProcesses } from './engines/engine-processes.ts';
import { monitorTitle } from './monitor.ts';
import { childrenOf, killTree, type ProcessIdentity, waitForEnd } from './process.ts';
import { findStrays } from './strays/strays.ts';

/** How long the kernel may take to end processes. Milliseconds. */
const KILL_TAKES = 10_000;

/**
 * Removes one without its records: what runs of it is found by its folder's name, and what else it has by being nobody's when
 * that is gone. Its volumes stay.
 */
export async function removeDamaged(root: string, { id, name }: DamagedContainer): Promise<void> {
  const folder = containerFolder(root, id);
  const before = new Set((await findStrays(root)).map(keyOf));
  const all = commandLines();
  const title = monitorTitle(root, id);
  const monitors = all.filter(({ words }) => words[0] === title).map(({ process }) => process);
  const tops = [...monitors, ...engineProcesses(folder, all)];
  const doomed = tops.flatMap(treeOf);
  for (const top of tops) killTree(top);
  await Promise.all(doomed.map((each) => waitForEnd(each, KILL_TAKES)));
  // Without records nothing else says that they were its own.
  await removeCgroups(id);
  await discard(root, { id, name: name ?? id });
  // What only shows when others are gone is found by looking again.
  for (let left = true; left; ) {
    const own = (await findStrays(root)).filter((stray) => !before.has(keyOf(stray)));
    for (const stray of own) {
      before.add(keyOf(stray));
      await stray.remove();
    }
    left = own.length > 0;
  }
}

function treeOf(top: ProcessIdentity): ProcessIdentity[] {
  return [top, ...childrenOf(top.pid).flatMap(treeOf)];
}

function keyOf({ kind, what }: { readonly kind: string; readonly what: string }): string {
  return `${kind} ${what}`;
}
