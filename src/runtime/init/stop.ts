/** How a container is asked to end, by what its PID 1 is. */
import type { Image } from '../../oci/image.ts';
import { SYSTEM_LABELS } from '../../oci/system-labels.ts';
import type { Boot } from './boot.ts';

/** Seconds. A command's are podman's; a system stops one service after the other, each with a patience of its own. */
const COMMAND_TIMEOUT = 10;
const SYSTEM_TIMEOUT = 90;

/** An image that was adapted names the signal for its init: nothing else takes that for a request to end. */
export function stopSignalOf({ mode }: Boot, { config }: Image): string {
  const signal = config.config?.StopSignal;
  const isInits =
    config.config?.Labels?.[SYSTEM_LABELS.init] !== undefined && /^SIG(?:PWR|RTMIN\+3)$/.test(signal ?? '');
  return mode === 'system' || !isInits ? (signal ?? 'SIGTERM') : 'SIGTERM';
}

export function stopTimeoutOf({ mode }: Boot): number {
  return mode === 'none' ? COMMAND_TIMEOUT : SYSTEM_TIMEOUT;
}
