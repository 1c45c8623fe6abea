/** Which algorithms p2c offers a server, and what the server offers (RFC 4253, 7.1). */
import type { Algorithms, ServerHostKeyAlgorithm } from 'ssh2';
import { type KnownKey, vouchingKeys } from './known-hosts.ts';

export interface Offer {
  readonly known: readonly KnownKey[];
  /** True adds what servers of long ago have: SHA-1, CBC, MD5, DSA. */
  readonly legacy: boolean;
  /** True has the connection compressed by ssh itself. */
  readonly compress: boolean;
}

const KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
const LEGACY_KEY_ALGORITHMS: readonly ServerHostKeyAlgorithm[] = ['ssh-rsa', 'ssh-dss'];

/**
 * A server has several keys: the types of those that may be its own are asked for first, or a known server would look new.
 * Ciphers are ssh2's own order, which is the fastest first: aes128-gcm, and ctr where a server has no gcm.
 */
export function algorithmsFor({ known, legacy, compress }: Offer): Algorithms {
  const types = new Set(vouchingKeys(known).map((key) => key.type));
  const typeOf = (algorithm: string): string => (algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm);
  const all = legacy ? [...KEY_ALGORITHMS, ...LEGACY_KEY_ALGORITHMS] : KEY_ALGORITHMS;
  const first = all.filter((algorithm) => types.has(typeOf(algorithm)));
  const rest = all.filter((algorithm) => !types.has(typeOf(algorithm)));
  return {
    serverHostKey: [...first, ...rest],
    compress: compress ? ['zlib@openssh.com', 'zlib', 'none'] : ['none', 'zlib@openssh.com', 'zlib'],
    ...(legacy ? LEGACY : {}),
  };
}

/** Behind the others: a server that has better ones is spoken to with those. */
const LEGACY: Algorithms = {
  kex: added('diffie-hellman-group14-sha1', 'diffie-hellman-group-exchange-sha1', 'diffie-hellman-group1-sha1'),
  cipher: added('aes256-cbc', 'aes192-cbc', 'aes128-cbc', '3des-cbc'),
  hmac: added('hmac-sha1-96', 'hmac-md5', 'hmac-md5-96'),
};

function added<Name>(...names: Name[]): Record<'append' | 'prepend' | 'remove', Name[]> {
  return { append: names, prepend: [], remove: [] };
}

/** What the lists of a server's KEXINIT are for, in their order. */
const LISTS = ['key exchange', 'host key', 'C->S cipher', 'S->C cipher', 'C->S MAC', 'S->C MAC'] as const;
const KEXINIT = 20;
const COOKIE = 16;
const LONGEST = 64 * 1024;

/** Overhears what a server offers: its greeting and its first packet come in the clear. */
export class OfferedAlgorithms {
  #heard = Buffer.alloc(0);
  #lists: readonly string[] = [];

  /** @returns whether there is no more to hear. */
  push(chunk: Buffer): boolean {
    if (this.#lists.length > 0) return true;
    this.#heard = Buffer.concat([this.#heard, chunk]);
    this.#lists = listsOf(this.#heard);
    return this.#lists.length > 0 || this.#heard.length > LONGEST;
  }

  /** @param kind as ssh2 names it: `key exchange`, `C->S MAC`. @returns undefined where it was not heard. */
  of(kind: string): string | undefined {
    return this.#lists[LISTS.findIndex((name) => name.toLowerCase() === kind.toLowerCase())];
  }
}

function listsOf(bytes: Buffer): string[] {
  const greeting = /(?:^|\n)SSH-[^\n]*\n/.exec(bytes.toString('latin1'));
  if (greeting === null) return [];
  const packet = bytes.subarray(greeting.index + greeting[0].length);
  if (packet.length < 6 || packet.length < 4 + packet.readUInt32BE(0) || packet[5] !== KEXINIT) return [];
  const lists: string[] = [];
  let at = 6 + COOKIE;
  for (let count = 0; count < LISTS.length; count += 1) {
    if (at + 4 > packet.length) return [];
    const end = at + 4 + packet.readUInt32BE(at);
    if (end > packet.length) return [];
    lists.push(packet.toString('latin1', at + 4, end));
    at = end;
  }
  return lists;
}
