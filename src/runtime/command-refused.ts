/** A container's command that cannot be started, told from one that ran and ended with the same exit code. */
import { ExitCode, P2cError } from '../errors.ts';

const CODE = 'container.command';

/** @param exitCode as a shell has it: 127 for a command that is not there, 126 for one that cannot be run. */
export function commandRefused(command: string, exitCode: number, why: string): P2cError {
  const isMissing = exitCode === ExitCode.commandMissing;
  return new P2cError(`the command '${command}' ${isMissing ? 'was not found' : 'cannot be run'} in the container`, {
    code: CODE,
    exitCode: isMissing ? ExitCode.commandMissing : ExitCode.commandUnusable,
    hint: isMissing
      ? 'name one that the image has, by its path or as its PATH finds it; an interpreter that a script names must be there too'
      : 'it must be a file that this user may execute, made for this machine',
    cause: new Error(why),
  });
}

/** @returns the exit code that a shell has for it; undefined where something else went wrong. */
export function refusedExitCode(error: unknown): ExitCode | undefined {
  return error instanceof P2cError && error.code === CODE ? error.exitCode : undefined;
}
