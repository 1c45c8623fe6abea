/** Key revocation lists as `ssh-keygen -k` writes them (OpenSSH, PROTOCOL.krl). */
import type { KnownKey } from './known-hosts.ts';

const MAGIC = Buffer.from('SSHKRL\n\0');
const FORMAT = 1;
/** Of plain keys; what is revoked of certificates only does not concern a key without one. */
const SECTIONS: Readonly<Record<number, KnownKey['digest'] | 'key'>> = { 2: 'key', 3: 'sha1', 5: 'sha256' };
const CERTIFICATES = 1;
const SIGNATURE = 4;

export function isKrl(bytes: Buffer): boolean {
  return bytes.subarray(0, MAGIC.length).equals(MAGIC);
}

/** @throws Error for a list that is cut short, or that says something p2c does not know. */
export function krlKeys(bytes: Buffer, file: string): KnownKey[] {
  const reader = new Reader(bytes, MAGIC.length);
  const format = reader.number();
  if (format !== FORMAT) throw new Error(`it is a list (KRL) of the unknown format ${format}`);
  // Its number, date and flags, 8 bytes each.
  reader.skip(24);
  reader.text();
  reader.text();
  const keys: KnownKey[] = [];
  while (!reader.atEnd) {
    const type = reader.byte();
    const section = reader.text();
    if (type === SIGNATURE) break;
    const kind = SECTIONS[type];
    if (kind === undefined && type !== CERTIFICATES)
      throw new Error(`it is a list (KRL) with the unknown part ${type}`);
    if (kind !== undefined) keys.push(...entries(section, kind, file));
  }
  return keys;
}

function entries(section: Buffer, kind: NonNullable<(typeof SECTIONS)[number]>, file: string): KnownKey[] {
  const reader = new Reader(section, 0);
  const keys: KnownKey[] = [];
  while (!reader.atEnd) {
    const key = reader.text().toString('base64');
    const digest = kind === 'key' ? {} : { digest: kind };
    keys.push({ marker: '@revoked', type: '', key, file, line: 0, withoutPort: false, ...digest });
  }
  return keys;
}

class Reader {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  skip(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new Error('it is a list (KRL) that is cut short');
    this.#at += count;
    return at;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.skip(1));
  }

  number(): number {
    return this.#bytes.readUInt32BE(this.skip(4));
  }

  /** With its length before it. */
  text(): Buffer {
    const length = this.number();
    const at = this.skip(length);
    return this.#bytes.subarray(at, at + length);
  }
}
