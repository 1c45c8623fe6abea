/** What the watchdog of a lease has to know of the applications. */
import type { Application } from './application.ts';
import { upCondition } from './checks.ts';
import { stepLine, stepPurpose } from './steps.ts';
import type { WatchedApplication } from './watchdog.ts';

/** In the order in which they are to be started: the reverse of the stop. */
export function watched(applications: readonly Application[]): WatchedApplication[] {
  return [...applications].reverse().map(({ number, name, stop, start }) => ({
    number,
    stopSeconds: Math.ceil(Math.max(...stop.map(({ step }) => step.timeout)) / 1000),
    steps: start.map(({ step, up }) => ({
      purpose: stepPurpose(name, 'start', step),
      line: stepLine('start', step),
      limitSeconds: Math.ceil(step.timeout / 1000),
      up: up.length === 0 ? undefined : upCondition(up),
    })),
  }));
}
