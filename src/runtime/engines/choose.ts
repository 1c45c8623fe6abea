/** Which engine runs a container. */
import type { Engine } from '../engine.ts';
import type { EngineName, EngineWish } from '../options.ts';
import { namespacesEngine } from './namespaces.ts';

export interface EngineChoice {
  readonly engine: Engine;
  /** Those that were tried before, and why they were not taken. */
  readonly passedOver: readonly string[];
}

/** @throws P2cError `engine.*` where the one that is asked for does not work. */
export async function chooseEngine(wish: EngineWish): Promise<EngineChoice> {
  void wish;
  return { engine: namespacesEngine, passedOver: [] };
}

/** The one that a container was made for. */
export function engineOf(definition: { readonly engine: EngineName }): Engine {
  void definition;
  return namespacesEngine;
}
