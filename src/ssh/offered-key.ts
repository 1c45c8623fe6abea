/** Asks a server whether it would take a key, by its public half alone: no passphrase is needed for that (RFC 4252, 7). */
import ssh2, { type IdentityCallback, type ParsedKey, type SignCallback, type SigningRequestOptions } from 'ssh2';

/** What ssh2 is told in place of a signature, and tells as an error that is none. */
export class KeyAccepted extends Error {}

/** ssh2 offers a key before it has it signed with for agents only: an agent of one key, which signs nothing. */
export class OfferedKey extends ssh2.BaseAgent<ParsedKey> {
  readonly #key: ParsedKey;
  #accepted = false;

  private constructor(key: ParsedKey) {
    super();
    this.#key = key;
  }

  /** @param key its wire form. @returns undefined for one that ssh2 does not know. */
  static of(key: Buffer): OfferedKey | undefined {
    const type = key.toString('latin1', 4, 4 + key.readUInt32BE(0));
    const parsed = ssh2.utils.parseKey(`${type} ${key.toString('base64')}`);
    return parsed instanceof Error ? undefined : new OfferedKey(parsed);
  }

  get type(): string {
    return this.#key.type;
  }

  /** Whether the server asked for a signature. */
  get accepted(): boolean {
    return this.#accepted;
  }

  override getIdentities(done: IdentityCallback<ParsedKey>): void {
    done(null, [this.#key]);
  }

  override sign(
    _key: ParsedKey,
    _data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    this.#accepted = true;
    (typeof options === 'function' ? options : done)?.(new KeyAccepted());
  }
}
