/**
 * How a system ended. The kernel ends a PID namespace in which someone called reboot(2) by a signal to its PID 1, as its
 * parent sees it: SIGHUP for a restart, SIGINT for a halt or power-off (reboot(2), "Behavior inside PID namespaces").
 */
import { constants } from 'node:os';

const RESTARTED = 128 + constants.signals.SIGHUP;
const HALTED = 128 + constants.signals.SIGINT;

/** Whether the system asked to be started again. */
export function isReboot(exitCode: number): boolean {
  return exitCode === RESTARTED;
}

/** A system that was shut down ended well. */
export function systemExitCode(exitCode: number): number {
  return exitCode === HALTED || exitCode === RESTARTED ? 0 : exitCode;
}
