/**
 * An ssh-agent of which the keys that are named are offered first, as ssh does (sshconnect2.c, pubkey_prepare): a server hangs
 * up after a few (MaxAuthTries). With ssh_config's IdentitiesOnly they are all that is offered.
 */
import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';
import { publicPart } from './public-part.ts';

/**
 * @param files private key files, of which the agent may hold the keys.
 * @param only whether the agent's other keys are not to be offered.
 */
export async function chosenAgent(socket: string, files: readonly string[], only: boolean): Promise<ChosenAgent> {
  const keys = await Promise.all(files.map(publicPart));
  const chosen = keys.flatMap((key) => (key === undefined ? [] : [key.toString('base64')]));
  return new ChosenAgent(socket, chosen, only);
}

class ChosenAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ssh2.BaseAgent;
  readonly #chosen: readonly string[];
  readonly #only: boolean;

  constructor(socket: string, chosen: readonly string[], only: boolean) {
    super();
    this.#agent = ssh2.createAgent(socket);
    this.#chosen = chosen;
    this.#only = only;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, keys) => {
      if (error) return done(error);
      const parsed = (keys ?? []).flatMap((key) => {
        // What an agent's socket tells is parsed already; no other form comes from it.
        const one = typeof key === 'object' && 'pubKey' in key ? undefined : ssh2.utils.parseKey(key);
        return one === undefined || one instanceof Error ? [] : one;
      });
      const place = (key: ParsedKey): number => this.#chosen.indexOf(key.getPublicSSH().toString('base64'));
      const chosen = parsed.filter((key) => place(key) >= 0).sort((one, other) => place(one) - place(other));
      done(null, this.#only ? chosen : [...chosen, ...parsed.filter((key) => place(key) < 0)]);
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
