/** One adaptation of a root filesystem so that it boots in a container. */
import type { Draft } from './draft.ts';
import type { Recorded } from './recorded.ts';
import type { System } from './system.ts';

export interface Recipe {
  /** As `--without` takes it. */
  readonly name: string;
  /** What it does and why, in a line for people. */
  readonly summary: string;
  appliesTo(system: System): boolean;
  /** Applied to its own result it changes nothing. */
  apply(draft: Draft, system: System, recorded: Recorded): void;
}

/** For recipes of every system. */
export function always(): boolean {
  return true;
}

export function hasInit(...inits: readonly System['init'][]): (system: System) => boolean {
  return ({ init }) => inits.includes(init);
}
