/**
 * Unpacks a layer in a process of its own, which can give way to all others: while a server is streamed, this machine's
 * processors belong to the stream.
 */
import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import { P2cError } from '../errors.ts';
import { childEnvironment } from './child-environment.ts';
import { unpackLayer } from './snapshot.ts';
import type { StoredLayer } from './unpack-blob.ts';

/** The hidden verb that this file's two halves speak through. */
export const UNPACK_VERB = '__unpack';

/** nice(2): what else runs has some nine times as much of a processor (sched(7)). */
const GIVES_WAY = 10;
const MAX_MESSAGES = 8192;

/** Whether the machine is wanted for something else meanwhile. */
export type Haste = 'gives-way' | 'hurries';

/**
 * @param signal ends it; nothing of the layer is left then.
 * @throws P2cError `snapshot.aside`; the reason of the signal.
 */
export async function unpackAside(root: string, layer: StoredLayer, haste: Haste, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const words = [UNPACK_VERB, root, layer.digest, layer.mediaType, layer.blobPath, haste];
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...words], {
    // What Node was told to import may be meant from here.
    cwd: process.execArgv.length > 0 ? process.cwd() : '/',
    env: childEnvironment(),
    // A terminal's interruption is for its parent, which ends it in good order.
    detached: true,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  child.stdin.on('error', () => {});
  const end = (): void => void child.stdin.end();
  signal.addEventListener('abort', end, { once: true });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < MAX_MESSAGES) said += text;
  });
  try {
    const code = await new Promise<number | Error>((resolve) => {
      child.once('error', resolve).once('close', (ended) => resolve(ended ?? 1));
    });
    signal.throwIfAborted();
    if (code === 0) return;
    throw new P2cError(`the layer ${layer.digest} could not be unpacked aside`, {
      code: 'snapshot.aside',
      cause: code instanceof Error ? code : new Error(said.trim() || `exit code ${code}`),
    });
  } finally {
    signal.removeEventListener('abort', end);
  }
}

/** The process's side: the verb's whole work. Its standard input stays open for as long as the layer is wanted. */
export async function unpackForAnother(root: string, layer: StoredLayer, haste: Haste): Promise<void> {
  if (haste === 'gives-way') setPriority(GIVES_WAY);
  const unwanted = new AbortController();
  process.stdin.on('end', () => unwanted.abort()).resume();
  await unpackLayer(root, layer, unwanted.signal);
}
