/** Chooses the engine for a new container, and tells a user who looks on which it is and what it lacks. */
import { isatty } from 'node:tty';
import type { Engine } from '../runtime/engine.ts';
import { chooseEngine } from '../runtime/engines/choose.ts';
import type { EngineWish } from '../runtime/options.ts';

/** A missing protection is told in any case, the name of the engine at a terminal. @throws P2cError `engine.*`. */
export async function engineFor(root: string, wish: EngineWish): Promise<Engine> {
  const { engine, passedOver } = await chooseEngine(root, wish);
  const missing = await engine.missing();
  const told = [...missing, ...passedOver.map((why) => `passed over ${why}`)];
  if (missing.length > 0 || (wish === 'auto' && isatty(2))) {
    process.stderr.write(`p2c: engine ${[engine.name, ...told].join('; ')}\n`);
  }
  return engine;
}
