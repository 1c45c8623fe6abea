/** What an image asks of the machine, by its labels: it holds where the user does not say otherwise. */
import type { Image } from '../oci/image.ts';
import { RUN_LABELS } from '../oci/run-labels.ts';
import { isEnoughMemory } from './memory-limit.ts';
import type { CreateOptions, EngineName, ResourceOptions } from './options.ts';
import { mergeUlimits, parseUlimit, possibleUlimits, type Ulimit } from './ulimit.ts';

/** As podman and docker have it. */
const SHM_SIZE = 64 * 1024 ** 2;
const MOST_ULIMITS = 32;

/** Labels that p2c did not write, or that make no sense, are passed over. */
export function resourcesFor({ config }: Image, asked: CreateOptions, engine: EngineName): ResourceOptions {
  const label = (name: keyof typeof RUN_LABELS): string => config.config?.Labels?.[RUN_LABELS[name]] ?? '';
  const number = (name: keyof typeof RUN_LABELS, form: RegExp): number | undefined => {
    const value = form.test(label(name)) ? Number(label(name)) : 0;
    return value > 0 ? value : undefined;
  };
  const memory = number('memory', WHOLE);
  return {
    shmSize: asked.shmSize ?? number('shmSize', WHOLE) ?? SHM_SIZE,
    memory: asked.memory ?? (memory !== undefined && isEnoughMemory(memory, engine) ? memory : undefined),
    cpus: asked.cpus ?? number('cpus', PROCESSORS),
    pidsLimit: asked.pidsLimit ?? number('pidsLimit', WHOLE),
    ulimits: mergeUlimits(possibleUlimits(ulimitsOf(label('ulimits'))), asked.ulimits),
  };
}

const WHOLE = /^\d{1,15}$/;
/** From a hundredth: less is no quota that the kernel takes. */
const PROCESSORS = /^(?:[1-9]\d{0,5}(?:\.\d{1,6})?|0\.(?:[1-9]\d?|0[1-9])\d{0,4})$/;

function ulimitsOf(text: string): Ulimit[] {
  const words = text.split(' ').slice(0, MOST_ULIMITS);
  return words.flatMap((word) => {
    try {
      return parseUlimit(word);
    } catch {
      return [];
    }
  });
}
