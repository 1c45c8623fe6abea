/** How a container is asked to end, by what its PID 1 is. */
import type { Image } from '../../oci/image.ts';
import { servicesOf } from '../../oci/services.ts';
import { SYSTEM_LABELS } from '../../oci/system-labels.ts';
import type { Boot } from './boot.ts';

/** Seconds. A command's are podman's; a system stops one service after the other, each with a patience of its own. */
const COMMAND_TIMEOUT = 10;
const SYSTEM_TIMEOUT = 90;
/** A day: an image may name any number. */
const LONGEST_TIMEOUT = 24 * 3600;

/** An image that was adapted names the signal for its init: nothing else takes that for a request to end. */
export function stopSignalOf({ mode }: Boot, { config }: Image): string {
  const signal = config.config?.StopSignal;
  const isInits =
    config.config?.Labels?.[SYSTEM_LABELS.init] !== undefined && /^SIG(?:PWR|RTMIN\+3)$/.test(signal ?? '');
  return mode === 'system' || !isInits ? (signal ?? 'SIGTERM') : 'SIGTERM';
}

/** Applications that a script stops one after the other have the time that each of their steps may take. */
export function stopTimeoutOf({ mode }: Boot, image: Image): number {
  if (mode === 'none') return COMMAND_TIMEOUT;
  const steps = mode === 'services' ? servicesOf(image).flatMap(({ stop }) => stop) : [];
  const sum = steps.reduce((all, { seconds }) => all + Math.ceil(seconds), 0);
  return Math.min(Math.max(SYSTEM_TIMEOUT, sum), LONGEST_TIMEOUT);
}
