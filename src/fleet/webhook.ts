/** The user's web address that is told what happens in a batch: one POST for each call of a hook, with the same JSON. */
import type { HookCall, HookEnd } from './hooks.ts';

const PATIENCE_MS = 30_000;

export class Webhook implements AsyncDisposable {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #record: (end: HookEnd) => void;
  readonly #patienceMs: number;
  readonly #telling = new Set<Promise<void>>();
  /** Calls so far, and the latest of them that got an answer, and that got none in time. */
  #calls = 0;
  #answered = 0;
  #unanswered = 0;

  /** @param record is given the end of each call. */
  constructor(url: URL, record: (end: HookEnd) => void, patienceMs = PATIENCE_MS) {
    this.#headers = { 'content-type': 'application/json', ...loginOf(url) };
    this.#url = withoutLogin(url);
    this.#record = record;
    this.#patienceMs = patienceMs;
  }

  /**
   * Resolves when it has answered, or its time is over. Where it was silent, and has not answered since, nobody waits: the
   * time would be lost twice for every host.
   */
  async tell(call: HookCall): Promise<void> {
    const silent = this.#unanswered > this.#answered;
    const telling = this.#post(call).finally(() => this.#telling.delete(telling));
    this.#telling.add(telling);
    if (!silent) await telling;
  }

  /** Waits for the calls that nobody waited for: each has the time that every call has. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#telling);
  }

  /** The answer's status stands for the exit code: null where there was none. */
  async #post(call: HookCall): Promise<void> {
    this.#calls += 1;
    const number = this.#calls;
    const told = call.host === undefined ? {} : { host: call.host };
    const began = performance.now();
    const record = (exitCode: number | null, said: string): void =>
      this.#record({
        event: 'hook-ended',
        ...told,
        hook: 'webhook',
        exitCode,
        milliseconds: performance.now() - began,
        said,
      });
    const stop = new AbortController();
    const patience = setTimeout(() => stop.abort(), this.#patienceMs);
    try {
      const answer = await fetch(this.#url, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(call),
        // Followed, most of them (301, 302, 303) become a GET without a body, which tells nobody anything.
        redirect: 'manual',
        signal: stop.signal,
      });
      this.#answered = Math.max(this.#answered, number);
      // Its body is nobody's: nobody waits for it, whole or broken.
      void answer.body?.cancel().catch(() => {});
      record(answer.ok ? 0 : answer.status, answer.ok ? '' : refusal(answer));
    } catch (error) {
      if (stop.signal.aborted) {
        this.#unanswered = Math.max(this.#unanswered, number);
        record(null, `no answer within ${this.#patienceMs / 1000} s`);
      } else record(null, notReached(error));
    } finally {
      clearTimeout(patience);
    }
  }
}

/** Where a redirect leads is not told: that may hold the same secret as the address. */
function refusal({ status, statusText }: Response): string {
  return status >= 300 && status < 400 ? `${statusText} (no redirect is followed)`.trim() : statusText;
}

/** The address is a secret, and undici's messages name it. */
function notReached(error: unknown): string {
  const code = error instanceof Error && error.cause instanceof Error && 'code' in error.cause ? error.cause.code : '';
  return `not reached ${String(code)}`.trim();
}

/** A user and a password in an address: fetch refuses them there. */
function loginOf({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {};
  const login = [username, password].map(decoded).join(':');
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** A percent sign that begins no code stands for itself. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
