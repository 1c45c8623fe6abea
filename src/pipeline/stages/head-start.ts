/**
 * The find of `/`, begun before it is known what is mounted: nearly every listing has that one, and a server has nothing else
 * to do until then. What it prints waits in the channel, which takes no more than its window.
 */
import type { RemoteCommand, RemoteStream, Session } from '../../ssh/session.ts';

/** Of standard error, bytes that are kept for who takes the find: one that complains more begins again. */
const MOST_SAID = 256 * 1024;

export class HeadStart {
  /** Milliseconds since 1970, here. */
  readonly startedAt = Date.now();
  readonly script: string;
  #stream: Promise<RemoteStream | undefined> | undefined;
  #said: Buffer[] = [];
  #saidBytes = 0;
  #listener: ((chunk: Buffer) => void) | undefined;

  /** Ask for what the listing waits for before this: a server may have room for a few sessions only. */
  constructor(session: Session, command: RemoteCommand) {
    this.script = command.script;
    this.#stream = session
      .stream(command, (chunk) => this.#hear(chunk))
      // What is wrong will show when it is begun in its turn.
      .catch(() => undefined);
  }

  /** @returns undefined where there is none any more; then it is begun as any other. */
  async take(onStderr: (chunk: Buffer) => void): Promise<RemoteStream | undefined> {
    const stream = await this.#release();
    if (this.#saidBytes > MOST_SAID) {
      stream?.kill();
      return undefined;
    }
    for (const chunk of this.#said) onStderr(chunk);
    this.#said = [];
    this.#listener = onStderr;
    return stream;
  }

  /** Ends it where nobody took it. */
  async giveUp(): Promise<void> {
    (await this.#release())?.kill();
  }

  /** To whoever asks first. */
  #release(): Promise<RemoteStream | undefined> | undefined {
    const stream = this.#stream;
    this.#stream = undefined;
    return stream;
  }

  #hear(chunk: Buffer): void {
    if (this.#listener !== undefined) this.#listener(chunk);
    else if (this.#saidBytes + chunk.length <= MOST_SAID) this.#said.push(chunk);
    else void this.giveUp();
    this.#saidBytes += chunk.length;
  }
}
