/** Finds what crashes left, of this store and of nobody else: see `Stray`. */
import { existsSync } from 'node:fs';
import { P2cError } from '../../errors.ts';
import { commandLines } from '../engines/engine-processes.ts';
import { isRootless } from '../rootless/user-namespace.ts';
import { containerStrays, goneStrays } from './containers.ts';
import { fileStrays } from './files.ts';
import { networkStrays } from './networks.ts';
import type { Stray } from './stray.ts';

/**
 * In the order in which they go: what runs and what is mounted before the files that tell of it.
 * Containers whose records are damaged have none: what is theirs is not known for it.
 * @param root the store's.
 */
export async function findStrays(root: string): Promise<Stray[]> {
  if (!existsSync(root)) return [];
  const all = commandLines();
  const isMachines = process.getuid?.() === 0 && !isRootless();
  return [
    ...(await containerStrays(root, all)),
    ...(await goneStrays(root, all)),
    // Without root there are no networks.
    ...(isMachines ? await networkStrays(root) : []),
    ...(await fileStrays(root)),
  ];
}

export interface Cleaned {
  readonly removed: readonly Stray[];
  /** Those that stay, and why. */
  readonly failed: readonly { readonly stray: Stray; readonly error: P2cError }[];
}

/** One that cannot be removed keeps no other. What only shows when others are gone is found by looking again. */
export async function cleanStrays(root: string): Promise<Cleaned> {
  const removed: Stray[] = [];
  const failed: { stray: Stray; error: P2cError }[] = [];
  const tried = new Set<string>();
  for (;;) {
    const found = (await findStrays(root)).filter((stray) => !tried.has(keyOf(stray)));
    if (found.length === 0) return { removed, failed };
    for (const stray of found) {
      tried.add(keyOf(stray));
      try {
        await stray.remove();
        removed.push(stray);
      } catch (cause) {
        const message = `the ${stray.kind} ${stray.what} could not be removed`;
        failed.push({ stray, error: new P2cError(message, { code: 'strays.stay', cause }) });
      }
    }
  }
}

function keyOf({ kind, what }: Stray): string {
  return `${kind} ${what}`;
}
