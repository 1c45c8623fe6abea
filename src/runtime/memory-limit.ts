/** `--memory`: the least that a container can be started with, for its cgroup holds what sets it up too. */
import { type P2cError, usageError } from '../errors.ts';
import type { EngineName } from './options.ts';
import { parseSize } from './size.ts';

const MIB = 1024 ** 2;
/** Of runc and crun it is docker's. With 8 MiB the programs of `namespaces` were killed, with 10 they were not. */
const LEAST: Readonly<Record<EngineName, number>> = { runc: 6 * MIB, crun: 6 * MIB, namespaces: 16 * MIB };

/** @returns bytes, enough for one of the engines. @throws P2cError `runtime.size`, `runtime.memory` (usage). */
export function parseMemory(text: string): number {
  const bytes = parseSize('--memory', text);
  if (bytes < Math.min(...Object.values(LEAST))) throw tooLittle(`'${text}'`, 'runc');
  return bytes;
}

export function isEnoughMemory(bytes: number, engine: EngineName): boolean {
  return bytes >= LEAST[engine];
}

/** @throws P2cError `runtime.memory` (usage). */
export function checkMemory(bytes: number | undefined, engine: EngineName): void {
  if (bytes !== undefined && !isEnoughMemory(bytes, engine)) throw tooLittle(`of ${bytes} bytes`, engine);
}

function tooLittle(given: string, engine: EngineName): P2cError {
  const other = engine === 'namespaces' ? `; with runc or crun ${LEAST.runc / MIB}m` : '';
  return usageError(`--memory ${given} is too little for a container to start with`, {
    code: 'runtime.memory',
    hint: `${LEAST[engine] / MIB}m is the least that the engine ${engine} starts one with${other}`,
  });
}
