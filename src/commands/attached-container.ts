/** What `run`, `start` and `attach` share: this terminal stands for the container's until it ends or is left. */
import type { Argv } from 'yargs';
import { usageError } from '../errors.ts';
import { AttachClient } from '../runtime/attach/client.ts';
import { DEFAULT_DETACH_KEYS, DetachKeys } from '../runtime/attach/detach-keys.ts';
import { type Container, readState } from '../runtime/container.ts';
import { Monitor } from '../runtime/monitor.ts';
import { signalProcess } from '../runtime/process.ts';
import { forwardingSignals, passOn } from './container-process.ts';

export interface Attachment {
  /** Whether what is typed here goes there. */
  readonly input: boolean;
  /** Whether the container has a terminal. */
  readonly terminal: boolean;
  /** The bytes that leave it; empty for none. */
  readonly detachKeys: Buffer;
  /** Whether signals to this process are handed on. */
  readonly sigProxy: boolean;
}

export interface AttachArguments {
  'detach-keys': string;
  'sig-proxy': boolean;
}

export function withAttachOptions<Options>(parser: Argv<Options>): Argv<Options & AttachArguments> {
  return parser
    .option('detach-keys', {
      type: 'string',
      default: DEFAULT_DETACH_KEYS,
      requiresArg: true,
      describe: 'what leaves it and lets it run on',
    })
    .option('sig-proxy', { type: 'boolean', default: true, describe: 'hand signals on (--no-sig-proxy: do not)' });
}

/**
 * Starts a container with this terminal as its own.
 * @returns its exit code; 0 where it was left.
 */
export async function startAttached(root: string, container: Container, attachment: Attachment): Promise<number> {
  const monitor = await Monitor.open(root, container);
  try {
    using client = await attachTo(container, attachment.input);
    return await attend(container, client, attachment, () => monitor.start());
  } finally {
    monitor.leave();
  }
}

/** @throws P2cError `attach.unattended` where nobody looks after the container any more. */
export async function attachTo(container: Container, input: boolean): Promise<AttachClient> {
  const client = await AttachClient.connect(container.folder, { input, output: true });
  if (client !== undefined) return client;
  const { name } = container.definition;
  throw usageError(`the monitor of the container '${name}' is gone`, {
    code: 'attach.unattended',
    hint: `'p2c logs ${name}' shows what it said until then, 'p2c restart ${name}' gives it a new one`,
  });
}

/**
 * Stays until the container ends, or the detach keys are typed.
 * @param begin called when everything is ready: what comes after it is seen.
 * @returns the container's exit code; 0 where it was left.
 */
export async function attend(
  { folder }: Container,
  client: AttachClient,
  attachment: Attachment,
  begin: () => Promise<void> = async () => {},
): Promise<number> {
  const send = async (signal: NodeJS.Signals): Promise<void> => {
    const state = await readState(folder).catch(() => undefined);
    if (state?.init !== undefined) signalProcess(state.init, signal);
  };
  const work = async (): Promise<number> => {
    using terminal = new OwnTerminal(client, attachment);
    await begin();
    return await Promise.race([terminal.detached, ended(client)]);
  };
  if (!attachment.sigProxy) return work();
  return forwardingSignals((signal) => void send(signal), work);
}

async function ended(client: AttachClient): Promise<number> {
  for await (const event of client.events()) {
    if ('ended' in event) return event.ended.exitCode;
    await passOn(event.stream, event.chunk);
  }
  return 0;
}

/** This process's standard input, and its terminal's size, for as long as they are the container's. */
class OwnTerminal implements Disposable {
  /** Resolves with the exit code when the container was left. */
  readonly detached: Promise<number>;
  readonly #raw: boolean;
  readonly #resized: () => void;

  constructor(client: AttachClient, { input, terminal, detachKeys }: Attachment) {
    this.#raw = input && terminal && process.stdin.isTTY === true;
    this.#resized = () => {
      const { rows, columns } = process.stdout;
      if (terminal && process.stdout.isTTY && rows > 0 && columns > 0) client.resize({ rows, columns });
    };
    process.stdout.on('resize', this.#resized);
    this.#resized();
    if (this.#raw) process.stdin.setRawMode(true);
    this.detached = input
      ? typing(client, new DetachKeys(terminal ? detachKeys : Buffer.alloc(0)))
      : new Promise(() => {});
  }

  [Symbol.dispose](): void {
    process.stdout.off('resize', this.#resized);
    if (this.#raw) process.stdin.setRawMode(false);
    process.stdin.destroy();
  }
}

/** Hands on what is typed. Resolves at the detach keys, and only then. */
async function typing(client: AttachClient, keys: DetachKeys): Promise<number> {
  try {
    for await (const chunk of process.stdin) {
      const { pass, detached } = keys.take(Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk)));
      if (pass.length > 0) await client.type(pass);
      if (detached) return 0;
    }
  } catch {
    // A standard input that cannot be read has ended.
  }
  client.endTyping();
  return new Promise(() => {});
}
