/** Unpacks the bytes of a layer: through its digest, gunzip and the checker to a tar that is kept apart from this machine. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { PassThrough, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, type Gunzip } from 'node:zlib';
import { P2cError } from '../errors.ts';
import { findProgram } from './host-program.ts';
import { HOST_ENVIRONMENT, isolated } from './isolation.ts';
import type { LayerChecker } from './layer-checker.ts';
import { inUserNamespace } from './rootless/user-namespace.ts';

/** A layer as the manifest names it, and where its bytes are. */
export interface StoredLayer {
  /** `sha256:HEX` of the stored bytes. */
  readonly digest: string;
  readonly mediaType: string;
  readonly blobPath: string;
}

/** The messages of tar that are kept. */
const MAX_MESSAGES = 8192;

/** The tar that a layer goes to. */
export interface Unpacker {
  /** For sh, in a mount namespace of its own; it ends in a tar that reads standard input. */
  readonly script: string;
  /** Its arguments. */
  readonly words: readonly string[];
  /** Ends it. */
  readonly signal?: AbortSignal | undefined;
}

/** Unpacks what the checker lets through. @throws P2cError `layer.*`, `snapshot.*`. */
export async function unpackBlob(
  layer: StoredLayer,
  checker: LayerChecker,
  { script, words, signal }: Unpacker,
): Promise<void> {
  const tar = spawn(findProgram('unshare'), isolated(script, words), {
    env: HOST_ENVIRONMENT,
    cwd: '/',
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  let messages = '';
  tar.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (messages.length < MAX_MESSAGES) messages += text;
  });
  const ended = new Promise<number | Error>((resolve) => {
    tar.once('error', resolve).once('close', (code) => resolve(code ?? 1));
  });
  const failure = await feed(layer, checker, tar.stdin, signal).catch((error: unknown) => {
    // Whatever went wrong, tar must not wait for more.
    tar.stdin.destroy();
    return error ?? new Error('unknown');
  });
  const code = await ended;
  signal?.throwIfAborted();
  // A layer that is refused is why tar ended too; and where tar ended by itself, the broken pipe is no news.
  if (failure instanceof P2cError) throw failure;
  if (code instanceof Error) {
    throw new P2cError('unshare cannot be run', { code: 'snapshot.unshare', hint: 'install util-linux', cause: code });
  }
  if (code !== 0) {
    throw new P2cError(`tar could not unpack the layer ${layer.digest} (exit code ${code})`, {
      code: 'snapshot.tar',
      ...(isForeignId(messages) ? { hint: MORE_IDS } : {}),
      cause: new Error(messages.trim() || 'it said nothing'),
    });
  }
  if (failure !== undefined) throw unreadable(layer, failure);
}

/** In a user namespace, an id that it has not (chown(2), EINVAL). */
function isForeignId(messages: string): boolean {
  return inUserNamespace() && /Cannot change ownership to .*Invalid argument/.test(messages);
}

const MORE_IDS =
  'the image has owners beyond the subordinate ids that this user has: more lines in /etc/subuid and /etc/subgid, or p2c as root';

/** Reads a layer without unpacking it, for what its checker sees. @throws P2cError `layer.*`, `snapshot.blob`. */
export async function lookThrough(layer: StoredLayer, checker: LayerChecker): Promise<void> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  await feed(layer, checker, nowhere, undefined).catch((error: unknown) => {
    throw error instanceof P2cError ? error : unreadable(layer, error);
  });
}

/** Streams the blob through digest, gunzip and checker to tar. */
async function feed(
  layer: StoredLayer,
  checker: LayerChecker,
  sink: Writable,
  signal: AbortSignal | undefined,
): Promise<void> {
  const hash = createHash('sha256');
  const hashed = async function* (blob: AsyncIterable<Buffer>) {
    for await (const chunk of blob) {
      hash.update(chunk);
      yield chunk;
    }
  };
  const checked = async function* (content: AsyncIterable<Buffer>) {
    for await (const chunk of content) yield* checker.push(chunk);
    yield checker.end();
    const digest = `sha256:${hash.digest('hex')}`;
    if (digest !== layer.digest) {
      throw new P2cError(`the layer ${layer.digest} is damaged: its bytes have the digest ${digest}`, {
        code: 'layer.digest',
        hint: 'remove the image and fetch or migrate it again',
      });
    }
  };
  const blob = createReadStream(layer.blobPath, { highWaterMark: 1024 * 1024 });
  const options = signal === undefined ? {} : { signal };
  await pipeline(blob, hashed, decompressor(layer.mediaType), checked, sink, options);
}

function decompressor(mediaType: string): PassThrough | Gunzip {
  if (/[+.]gzip$/.test(mediaType)) return createGunzip({ chunkSize: 256 * 1024 });
  if (/\.tar$/.test(mediaType)) return new PassThrough({ highWaterMark: 1024 * 1024 });
  throw new P2cError(`layers of the type '${mediaType}' cannot be unpacked`, {
    code: 'layer.type',
    hint: 'tar and tar+gzip can; convert the image, for example with skopeo copy --dest-compress-format gzip',
  });
}

function unreadable({ digest }: StoredLayer, cause: unknown): P2cError {
  return new P2cError(`the layer ${digest} cannot be read`, {
    code: 'snapshot.blob',
    hint: 'remove the image and fetch or migrate it again',
    cause,
  });
}
