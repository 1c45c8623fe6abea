/** Runs in a container what was run on its source, so that both are looked at with the same commands. */
import { P2cError } from '../errors.ts';
import type { Container } from '../runtime/container.ts';
import type { Launched } from '../runtime/engine.ts';
import { execInContainer } from '../runtime/exec.ts';
import { identifyProcess, killTree } from '../runtime/process.ts';
import type { CommandResult, CommandRunner, RemoteCommand } from '../ssh/session.ts';
import { Tail } from '../ssh/tail.ts';

const TIMEOUT_MS = 60_000;
const MOST_OUTPUT = 4 * 1024 * 1024;
const MOST_ERRORS = 64 * 1024;

export class ContainerDoor implements CommandRunner {
  readonly #root: string;
  readonly #container: Container;
  readonly #signal: AbortSignal;

  /** @param root the store's. @param signal ends what runs. */
  constructor(root: string, container: Container, signal: AbortSignal) {
    this.#root = root;
    this.#container = container;
    this.#signal = signal;
  }

  /** As root. @throws P2cError `container.stopped`, `boot.command-timeout`, `boot.output`. */
  async run({ purpose, script, timeoutMs, maxOutputBytes }: RemoteCommand): Promise<CommandResult> {
    this.#signal.throwIfAborted();
    const began = performance.now();
    const launched = await execInContainer(this.#root, this.#container, {
      command: ['/bin/sh', '-c', script],
      environment: ['LC_ALL=C'],
      workingFolder: '/',
      user: '0',
      terminal: false,
      input: 'none',
      detached: false,
    });
    const limit = AbortSignal.timeout(timeoutMs ?? TIMEOUT_MS);
    const ends = AbortSignal.any([limit, this.#signal]);
    const kill = (): void => killLaunched(launched);
    ends.addEventListener('abort', kill, { once: true });
    try {
      if (ends.aborted) kill();
      const stderr = new Tail(MOST_ERRORS);
      const reading = readErrors(launched, stderr);
      const stdout = await readOutput(launched, maxOutputBytes ?? MOST_OUTPUT, purpose);
      await reading;
      const code = await launched.ended;
      this.#signal.throwIfAborted();
      if (limit.aborted) throw tooSlow(purpose, this.#container);
      return { code, stdout, stderr: stderr.toString(), durationMs: performance.now() - began };
    } finally {
      ends.removeEventListener('abort', kill);
    }
  }
}

/** The engine's own process stands outside the container, and the command below it. */
function killLaunched({ pid }: Launched): void {
  const identity = identifyProcess(pid);
  if (identity !== undefined) killTree(identity);
}

async function readErrors({ errors }: Launched, into: Tail): Promise<void> {
  for await (const chunk of errors ?? []) if (Buffer.isBuffer(chunk)) into.push(chunk);
}

async function readOutput(launched: Launched, limit: number, purpose: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of launched.output ?? []) {
    if (!Buffer.isBuffer(chunk)) continue;
    bytes += chunk.length;
    if (bytes > limit) {
      killLaunched(launched);
      throw new P2cError(`in the container, '${purpose}' gave more than ${limit} bytes`, { code: 'boot.output' });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function tooSlow(purpose: string, { definition: { name } }: Container): P2cError {
  return new P2cError(`in the container '${name}', '${purpose}' did not end in time`, {
    code: 'boot.command-timeout',
  });
}
