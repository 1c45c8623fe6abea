/**
 * A pipe for a container's output. Node's own are sockets, and a socket cannot be opened again by its name in
 * /proc/self/fd: a program that logs to /dev/stdout would fail.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { HOST_ENVIRONMENT } from '../isolation.ts';

const run = promisify(execFile);

export interface OutputPipe {
  readonly reader: Readable;
  /** For the process that writes. */
  readonly descriptor: number;
  /** Closes p2c's copy of the writing end, once the process has its own: the reader then ends with the writers. */
  release(): void;
}

/** @returns that many pipes. */
export async function openOutputPipes(count: number): Promise<OutputPipe[]> {
  const folder = await mkdtemp(join(tmpdir(), 'p2c-pipe-'));
  try {
    const paths = Array.from({ length: count }, (_, at) => join(folder, String(at)));
    // Any user in a container may open its own output again; no other can reach the folder.
    if (count > 0) await run('mkfifo', ['-m', '666', ...paths], { env: HOST_ENVIRONMENT });
    return paths.map(openPipe);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function openPipe(path: string): OutputPipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return { reader, descriptor, release: () => closeSync(descriptor) };
}
