/**
 * Where the output of a container's process goes that nobody reads. Not to this machine's /dev/null: the node is one for
 * all, and root in a container that has it open may change its mode and owner.
 */
import { spawn } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { findProgram } from '../host-program.ts';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { withFifos } from './pipes.ts';

export interface Drain {
  /** For the process that writes. */
  readonly descriptor: number;
  /** Closes p2c's copy, once the process has its own. */
  release(): void;
}

/**
 * A pipe that is read for as long as anybody writes, also when p2c has ended: one that nobody reads is full some day, and
 * one without a reader ends who writes.
 */
export async function openDrain(): Promise<Drain> {
  return withFifos(1, ([path = '']) => {
    const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const descriptor = openSync(path, constants.O_WRONLY);
    const source = openSync(path, constants.O_RDONLY);
    closeSync(first);
    const reader = spawn(findProgram('cat'), [], {
      env: HOST_ENVIRONMENT,
      cwd: '/',
      stdio: [source, 'ignore', 'ignore'],
      detached: true,
    });
    reader.on('error', () => {});
    reader.unref();
    closeSync(source);
    return { descriptor, release: () => closeSync(descriptor) };
  });
}
