/** An ssh-agent of which only the keys that are named are used: ssh_config's IdentitiesOnly. */
import { readFile } from 'node:fs/promises';
import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';
import { parseKey } from './private-key.ts';

/**
 * @param files private key files; which key an agent holds is told by the public key beside each, or by the file itself
 * where it holds one in the clear.
 */
export async function chosenAgent(socket: string, files: readonly string[]): Promise<ChosenAgent> {
  const keys = await Promise.all(files.map(publicKey));
  return new ChosenAgent(socket, new Set(keys.filter((key) => key !== undefined)));
}

async function publicKey(file: string): Promise<string | undefined> {
  for (const name of [`${file}.pub`, file]) {
    try {
      const parsed = parseKey(await readFile(name));
      const key = Array.isArray(parsed) ? parsed[0] : parsed;
      if (key !== undefined && !(key instanceof Error)) return key.getPublicSSH().toString('base64');
    } catch {
      // Not there, or not to be read: the next.
    }
  }
  return undefined;
}

class ChosenAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.BaseAgent;
  readonly #chosen: ReadonlySet<string>;

  constructor(socket: string, chosen: ReadonlySet<string>) {
    super();
    this.#agent = ssh2.createAgent(socket);
    this.#chosen = chosen;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error) return done(error);
      const parsed = (keys ?? []).flatMap((key) => {
        // What an agent's socket tells is parsed already; no other form comes from it.
        const one = typeof key === 'object' && 'pubKey' in key ? undefined : ssh2.utils.parseKey(key);
        return one === undefined || one instanceof Error ? [] : one;
      });
      done(
        null,
        parsed.filter((key) => this.#chosen.has(key.getPublicSSH().toString('base64'))),
      );
    });
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    if (typeof options === 'function') this.#agent.sign(key, data, options);
    else this.#agent.sign(key, data, options, done);
  }
}
