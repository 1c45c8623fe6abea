/** How the applications of an image are started and stopped without its init: the label that carries it. */
import * as z from 'zod';
import type { Image } from './image.ts';
import { SYSTEM_LABELS } from './system-labels.ts';

const stepSchema = z.object({
  /** A script for sh. */
  run: z.string().optional(),
  /** In place of it: names of which the first that has a script of an init is meant. */
  service: z.array(z.string()).optional(),
  user: z.string().optional(),
  env: z.record(z.string(), z.string()).default({}),
  seconds: z.number().min(1),
});
export type ServiceStep = z.output<typeof stepSchema>;

const servicesSchema = z.array(z.object({ name: z.string(), start: z.array(stepSchema), stop: z.array(stepSchema) }));
/** In the order of their start. */
export type Services = z.output<typeof servicesSchema>;

export function servicesLabel(services: Services): Record<string, string> {
  return services.length === 0 ? {} : { [SYSTEM_LABELS.services]: JSON.stringify(services) };
}

/** None where the image has no such label, or one that p2c did not write. */
export function servicesOf({ config }: Pick<Image, 'config'>): Services {
  try {
    return servicesSchema.parse(JSON.parse(config.config?.Labels?.[SYSTEM_LABELS.services] ?? '[]'));
  } catch {
    return [];
  }
}
