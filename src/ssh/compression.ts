/** Compression of one command's output between the source and here. What is read here is what the command wrote. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { pipeline, type Readable } from 'node:stream';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { messageOf, P2cError } from '../errors.ts';
import { printable } from '../printable.ts';
import type { RemoteCommand } from './session.ts';
import { Tail } from './tail.ts';

/** The fastest first: at its lowest level each, for a link is seldom slower than that is. */
export const COMPRESSORS = ['zstd', 'lz4', 'gzip'] as const;
export type Compressor = (typeof COMPRESSORS)[number];

const COMPRESS: Readonly<Record<Compressor, string>> = {
  zstd: 'zstd -1 -q -c',
  lz4: 'lz4 -1 -q -c',
  gzip: 'gzip -1 -c',
};

/** Node reads gzip itself; the others' programs decompress here too. */
const DECOMPRESS: Readonly<Record<Exclude<Compressor, 'gzip'>, readonly string[]>> = {
  // More memory than a window of 128 MiB is refused, which is zstd's own limit too: stated, it does not depend on it.
  zstd: ['-d', '-q', '-c', '--memory=128MB'],
  lz4: ['-d', '-q', '-c'],
};

/** The compressors whose output can be read on this machine. */
export async function readableHere(): Promise<readonly Compressor[]> {
  const there = await Promise.all(
    COMPRESSORS.map((name) =>
      name === 'gzip'
        ? true
        : promisify(execFile)(name, ['--version']).then(
            () => true,
            () => false,
          ),
    ),
  );
  return COMPRESSORS.filter((_, index) => there[index]);
}

/**
 * The same command, its output compressed on the source. Its exit code is still the script's: a pipe has that of its last
 * command, so the code goes past the compressor by a descriptor of its own.
 */
export function compressed(command: RemoteCommand, compressor: Compressor): RemoteCommand {
  const script = `exec 3>&1
p2c_code=$({ { (
${command.script}
) 3>&- 4>&-; echo $? >&4; } | ${COMPRESS[compressor]} >&3 3>&- 4>&-; } 4>&1)
exit $p2c_code`;
  return { ...command, script, compressor };
}

/**
 * What was compressed. Memory is bounded: as much is decompressed as is read, a window at a time.
 * @throws P2cError `ssh.compression` where the bytes are not what the compressor writes, or end early; what `source` throws.
 */
export async function* decompressed(source: AsyncIterable<Buffer>, compressor: Compressor): AsyncGenerator<Buffer> {
  let failure: unknown;
  const watched = watch(source, (error) => {
    failure = error;
  });
  try {
    yield* compressor === 'gzip' ? gunzipped(watched) : throughProgram(watched, compressor);
  } catch (error) {
    throw failure ?? broken(compressor, error);
  }
}

/** Remembers what the source itself threw: a decompressor tells only that its input ended. */
async function* watch(source: AsyncIterable<Buffer>, onError: (error: unknown) => void): AsyncGenerator<Buffer> {
  try {
    yield* source;
  } catch (error) {
    onError(error);
    throw error;
  }
}

function gunzipped(source: AsyncIterable<Buffer>): Readable {
  return pipeline(source, createGunzip(), () => {});
}

async function* throughProgram(
  source: AsyncIterable<Buffer>,
  program: Exclude<Compressor, 'gzip'>,
): AsyncGenerator<Buffer> {
  const child = spawn(program, DECOMPRESS[program], { stdio: ['pipe', 'pipe', 'pipe'] });
  const said = new Tail(1024);
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const ended = once(child, 'close');
  ended.catch(() => {});
  let fed: unknown;
  pipeline(source, child.stdin, (error) => {
    fed = error ?? undefined;
    // What came of a part of the input is no output.
    if (error) child.kill();
  });
  try {
    yield* child.stdout;
    const [code] = await ended;
    if (code !== 0) throw fed ?? new Error(`${program} ended with ${code ?? 'a signal'}: ${said}`);
  } finally {
    child.kill();
  }
}

function broken(compressor: Compressor, cause: unknown): P2cError {
  const why = printable(messageOf(cause).trim().slice(0, 300));
  return new P2cError(`what came compressed with ${compressor} cannot be read: ${why}`, {
    code: 'ssh.compression',
    hint: `is the source's ${compressor} sound? --compress none does without`,
    cause,
  });
}
