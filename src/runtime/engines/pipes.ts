/**
 * Pipes for a container's input and output. Node's own are sockets, and a socket cannot be opened again by its name in
 * /proc/self/fd: a program that logs to /dev/stdout would fail.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, fchmodSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import { findProgram } from '../host-program.ts';
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
  const { reading, writing } = await openPipe();
  const writer = new Socket({ fd: writing, readable: false, writable: true });
  return { writer, descriptor: reading, release: () => closeSync(reading) };
}

/** An input that ends at once. Its writer is closed before anybody has the descriptor. */
export async function openEmptyPipe(): Promise<{ readonly descriptor: number; release(): void }> {
  const { reading, writing } = await openPipe();
  closeSync(writing);
  return { descriptor: reading, release: () => closeSync(reading) };
}

/**
 * Tells which process has a pipe as its standard output, and keeps it until its own input ends. A subshell tells, for a
 * shell's own output is another for as long as its `echo` writes elsewhere.
 */
const MAKE_PIPE = 'sh -c "(echo \\$\\$ >&2); read -r _" | :';

/**
 * A pipe without a name, as pipe(2) makes it: who opens a fifo again by /dev/stdin waits for a writer (fifo(7)), for ever
 * where that has ended.
 */
async function openPipe(): Promise<{ readonly reading: number; readonly writing: number }> {
  const maker = spawn(findProgram('sh'), ['-c', MAKE_PIPE], {
    env: HOST_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  maker.on('error', () => {});
  maker.stdin.on('error', () => {});
  try {
    let said = '';
    for await (const chunk of maker.stderr) {
      said += String(chunk);
      if (said.endsWith('\n')) break;
    }
    const path = `/proc/${said.trim()}/fd/1`;
    const reading = openSync(path, constants.O_RDONLY);
    // Any user in a container may open its own input again.
    fchmodSync(reading, 0o666);
    return { reading, writing: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
  } finally {
    maker.stdin.end();
  }
}

/** Opens fifos that have no name any more afterwards. */
export async function withFifos<Result>(count: number, open: (paths: string[]) => Result): Promise<Result> {
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

function openForReading(path: string): OutputPipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const descriptor = openSync(path, constants.O_WRONLY);
  const reader = new Socket({ fd: readEnd, readable: true, writable: false });
  return { reader, descriptor, release: () => closeSync(descriptor) };
}
