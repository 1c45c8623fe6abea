/** Which engine runs a container. */
import { P2cError, usageError } from '../../errors.ts';
import type { Engine } from '../engine.ts';
import type { EngineName, EngineWish } from '../options.ts';
import { isRootless } from '../rootless/user-namespace.ts';
import { namespacesEngine } from './namespaces.ts';
import { ociEngine } from './oci.ts';
import { runtimeFault } from './probed.ts';

const ENGINES: Readonly<Record<EngineName, Engine>> = {
  namespaces: namespacesEngine,
  runc: ociEngine('runc'),
  crun: ociEngine('crun'),
};
const RUNTIMES = ['runc', 'crun'] as const;

export interface EngineChoice {
  readonly engine: Engine;
  /** Those that were tried before, and why they were not taken. */
  readonly passedOver: readonly string[];
}

/**
 * `auto` is the first OCI runtime that works, for it adds a seccomp filter, and else `namespaces`.
 * @param root the store's, where the findings are kept.
 * @throws P2cError `engine.broken` where the one that is asked for by name does not work.
 */
export async function chooseEngine(root: string, wish: EngineWish): Promise<EngineChoice> {
  if (wish === 'namespaces') return { engine: ENGINES.namespaces, passedOver: [] };
  if (isRootless()) return withoutRoot(wish);
  const passedOver: string[] = [];
  for (const name of wish === 'auto' ? RUNTIMES : [wish]) {
    const fault = await runtimeFault(root, ENGINES[name]);
    if (fault === undefined) return { engine: ENGINES[name], passedOver };
    passedOver.push(`${name}: ${fault}`);
  }
  if (wish === 'auto') return { engine: ENGINES.namespaces, passedOver };
  throw new P2cError(`the OCI runtime ${passedOver.join('; ')}`, {
    code: 'engine.broken',
    hint: "'--engine auto' takes one that works",
  });
}

/** Their cgroups, and the root that p2c mounts for them, are the machine's root's. */
function withoutRoot(wish: EngineWish): EngineChoice {
  if (wish === 'auto') return { engine: ENGINES.namespaces, passedOver: [] };
  throw usageError(`the engine ${wish} runs containers as root only`, {
    code: 'engine.rootless',
    hint: `'--engine namespaces', which 'auto' takes, runs them without; or sudo p2c run --engine ${wish} …`,
  });
}

/** The one that a container was made for. */
export function engineOf({ engine }: { readonly engine: EngineName }): Engine {
  return ENGINES[engine];
}
