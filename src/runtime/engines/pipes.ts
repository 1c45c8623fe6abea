/**
 * Pipes for a container's input and output. Node's own are sockets, and a socket cannot be opened again by its name in
 * /proc/self/fd: a program that logs to /dev/stdout would fail.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { HOST_ENVIRONMENT } from '../isolation.ts';
import { makeTemporary } from '../owned-name.ts';

const run = promisify(execFile);

export interface OutputPipe {
  readonly reader: Readable;
  /** For the process that writes. */
  readonly descriptor: number;
  /** Closes p2c's copy of the writing end, once the process has its own: the reader then ends with the writers. */
  release(): void;
}

export interface InputPipe {
  readonly writer: Writable;
  /** For the process that reads. */
  readonly descriptor: number;
  /** Closes p2c's copy of the reading end, once the process has its own: who writes then hears of its end. */
  release(): void;
}

/** @returns that many pipes. */
export async function openOutputPipes(count: number): Promise<OutputPipe[]> {
  return count === 0 ? [] : withFifos(count, (paths) => paths.map(openForReading));
}

export async function openOutputPipe(): Promise<OutputPipe> {
  return withFifos(1, ([path = '']) => openForReading(path));
}

export async function openInputPipe(): Promise<InputPipe> {
  return withFifos(1, ([path = '']) => openForWriting(path));
}

async function withFifos<Result>(count: number, open: (paths: string[]) => Result): Promise<Result> {
  const folder = await makeTemporary('pipe');
  try {
    const paths = Array.from({ length: count }, (_, at) => join(folder, String(at)));
    // Any user in a container may open its own output again; no other can reach the folder.
    await run('mkfifo', ['-m', '666', ...paths], { env: HOST_ENVIRONMENT });
    return open(paths);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function openForWriting(path: string): InputPipe {
  // With a reader there, neither of the others waits; the container's own end must block as a pipe's does.
  const first = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  const descriptor = openSync(path, constants.O_RDONLY);
  closeSync(first);
  const writer = new Socket({ fd: writeEnd, readable: false, writable: true });
  return { writer, descriptor, release: () => closeSync(descriptor) };
}

function openForReading(path: string): OutputPipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return { reader, descriptor, release: () => closeSync(descriptor) };
}
