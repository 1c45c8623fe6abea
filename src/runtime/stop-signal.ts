/** The signal that asks a container to end, as images name it (image-spec, config.md, StopSignal). */
import { constants } from 'node:os';

/** signal(7) on Linux with glibc; Node has no names for them. */
const RTMIN = 34;
const RTMAX = 64;

/** As an image names it, which may be anything. @returns its number, SIGTERM's where the text is none. */
export function stopSignalNumber(text: string): number {
  return knownSignal(text) ?? constants.signals.SIGTERM;
}

/** `SIGTERM`, `TERM`, `15`, `SIGRTMIN+3`. @returns its number, undefined where the text is none. */
export function knownSignal(text: string): number | undefined {
  const name = text.toUpperCase().replace(/^SIG/, '');
  const realTime = /^RT(MIN|MAX)(?:([+-])([0-9]{1,2}))?$/.exec(name);
  if (realTime !== null) {
    const offset = Number(realTime[3] ?? 0) * (realTime[2] === '-' ? -1 : 1);
    return usable((realTime[1] === 'MIN' ? RTMIN : RTMAX) + offset);
  }
  if (/^[0-9]{1,2}$/.test(name)) return usable(Number(name));
  const found = Object.entries(constants.signals).find(([known]) => known === `SIG${name}`);
  return found?.[1];
}

function usable(number: number): number | undefined {
  return number >= 1 && number <= RTMAX ? number : undefined;
}
