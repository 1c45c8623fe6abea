/** Unpacks a tar stream in a container. */
import type { Readable, Writable } from 'node:stream';
import { messageOf, P2cError, systemCode } from '../../errors.ts';
import { lockContainer } from '../claim.ts';
import { type Container, readState } from '../container.ts';
import { execInContainer } from '../exec.ts';
import { rootOf } from '../place.ts';
import { unpackHint } from './unpack-hint.ts';
import { SAID_NOTHING, startInView } from './view.ts';
import { unpackWords } from './words.ts';

const MOST_SAID = 4096;

/**
 * In one that runs, the image's own tar unpacks, confined as all that runs there; in another, this machine's, while nobody
 * starts it.
 */
export async function unpackedIn(
  container: Container,
  into: string,
  feed: (sink: Writable) => Promise<void>,
): Promise<void> {
  await using _ = await lockContainer(container.folder);
  const { status } = await readState(container.folder);
  if (status === 'created' || status === 'exited') {
    const { input, output, ended } = await startInView(container, 'rw', unpackWords(into, '/c', []));
    output.resume();
    const fed = await feed(input).catch((error: unknown) => error);
    if (isTold(fed)) throw fed;
    // What tar says of its end is why the pipe to it broke.
    await ended.catch(withHint);
    if (fed !== undefined && !isBrokenPipe(fed)) throw fed;
    return;
  }
  const launched = await execInContainer(rootOf(container.folder), container, {
    command: ['tar', '-xpf', '-', '-C', into],
    environment: [],
    workingFolder: '/',
    user: '0',
    terminal: false,
    input: 'pipe',
    detached: false,
  });
  launched.output?.resume();
  const said = saidOn(launched.errors);
  launched.input?.on('error', () => {});
  const fed = launched.input === undefined ? undefined : await feed(launched.input).catch((error: unknown) => error);
  const code = await launched.ended;
  // It may have ended before its last words were read.
  const messages = await said;
  if (code === 0 && (fed === undefined || isBrokenPipe(fed))) return;
  if (isTold(fed)) throw fed;
  const cause = fed instanceof Error && code === 0 ? fed : new Error(messages.trim() || SAID_NOTHING);
  throw failed(`the container's tar ended with exit code ${code}`, cause, unpackHint(code, messages));
}

/** All that comes, of which the beginning is kept. */
async function saidOn(stream: Readable | undefined): Promise<string> {
  let text = '';
  for await (const chunk of stream ?? []) if (text.length < MOST_SAID) text += String(chunk);
  return text;
}

/** A tar reads until its stream says that it ends, and not what comes after. */
export function isBrokenPipe(error: unknown): boolean {
  return ['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes(systemCode(error) ?? '');
}

/** Whether what fed it failed for a reason of its own, and not for the broken pipe alone. */
function isTold(fed: unknown): boolean {
  return fed instanceof P2cError && messageOf(fed.cause) !== SAID_NOTHING;
}

function withHint(error: unknown): never {
  const cause = error instanceof P2cError ? error.cause : error;
  throw failed(messageOf(error), cause, unpackHint(undefined, messageOf(cause)));
}

function failed(message: string, cause: unknown, hint: string | undefined): P2cError {
  return new P2cError(message, { code: 'copy.tar', cause, ...(hint === undefined ? {} : { hint }) });
}
