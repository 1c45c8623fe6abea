/**
 * Host keys that were taken as new while p2c runs. Where no file keeps them (UserKnownHostsFile none or /dev/null), a link
 * that is made again would otherwise be anybody's who answers, and the password that was given for the first one theirs.
 */
import { type KnownAs, keyType } from './host-key.ts';
import { type KnownKey, knownHostName } from './known-hosts.ts';

/** One memory for all sessions of the process: a batch connects to a host more than once. */
const taken = new Map<string, KnownKey>();

/** The key that one server showed first. */
export class TakenKey {
  readonly #place: string;

  /** @param over what it is reached over: behind two jump hosts, one private address is two servers. */
  constructor({ host, port }: KnownAs, over: readonly string[]) {
    this.#place = JSON.stringify([...over, knownHostName(host, port)]);
  }

  get known(): readonly KnownKey[] {
    const key = taken.get(this.#place);
    return key === undefined ? [] : [key];
  }

  /** The first one stays. */
  remember(key: Buffer): void {
    if (taken.has(this.#place)) return;
    const [type, text] = [keyType(key), key.toString('base64')];
    taken.set(this.#place, { marker: '', type, key: text, file: '', line: 0, withoutPort: false, taken: true });
  }
}
