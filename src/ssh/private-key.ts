/** Reads key files in all the forms that ssh does: ssh2 knows OpenSSH's own and the older PEM, and Node knows PKCS#8. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import ssh2, { type ParsedKey } from 'ssh2';
import { messageOf } from '../errors.ts';

const OPENSSH = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END/;
const OPENSSH_MAGIC = 'openssh-key-v1\0';
/** What ssh2 takes for a cipher of key files, and then cannot read. */
const UNREADABLE_CIPHER = 'chacha20-poly1305@openssh.com';

/** @returns the key or keys, or why there is none: for want of a passphrase, the words say that. */
export function parseKey(text: Buffer, passphrase?: string): ParsedKey | ParsedKey[] | Error {
  const locked = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.exec(text.toString('latin1'));
  if (locked === null) return ssh2.utils.parseKey(text, passphrase);
  if (locked[1] !== undefined && passphrase === undefined) return new Error('it is encrypted');
  try {
    const key = createPrivateKey({ key: text, ...(locked[1] === undefined ? {} : { passphrase }) });
    return ssh2.utils.parseKey(knownForm(key));
  } catch (error) {
    return error instanceof Error ? error : new Error(messageOf(error));
  }
}

/** The cipher of a file that no passphrase opens here. */
export function unreadableCipher(text: Buffer): string | undefined {
  const cipher = openFields(text)[0]?.toString('latin1');
  return cipher === UNREADABLE_CIPHER ? cipher : undefined;
}

/** The wire form of the public key that an OpenSSH file holds in the clear, also where a passphrase locks the rest. */
export function openPublicPart(text: Buffer): Buffer | undefined {
  return openFields(text)[3];
}

/** What comes before the secret part (OpenSSH's PROTOCOL.key): the cipher, how its key is made, with what, the public key. */
function openFields(text: Buffer): Buffer[] {
  const bytes = Buffer.from(OPENSSH.exec(text.toString('latin1'))?.[1] ?? '', 'base64');
  let at = OPENSSH_MAGIC.length;
  if (bytes.toString('latin1', 0, at) !== OPENSSH_MAGIC) return [];
  const fields: Buffer[] = [];
  while (fields.length < 4) {
    // How many keys there are, before the first of them.
    if (fields.length === 3) at += 4;
    if (at + 4 > bytes.length) break;
    const end = at + 4 + bytes.readUInt32BE(at);
    if (end > bytes.length) break;
    fields.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

function knownForm(key: KeyObject): string | Buffer {
  switch (key.asymmetricKeyType) {
    case 'rsa':
      return key.export({ type: 'pkcs1', format: 'pem' });
    case 'ec':
      return key.export({ type: 'sec1', format: 'pem' });
    case 'ed25519':
      return opensshForm(key);
    default:
      throw new Error(`its type is ${key.asymmetricKeyType}`);
  }
}

/** The one form that there is of an ed25519 key beside PKCS#8 (OpenSSH's PROTOCOL.key), without a cipher. */
function opensshForm(key: KeyObject): string {
  const { x = '', d = '' } = key.export({ format: 'jwk' });
  const own = Buffer.from(x, 'base64url');
  const type = string(Buffer.from('ssh-ed25519'));
  const none = string(Buffer.from('none'));
  const open = Buffer.concat([type, string(own)]);
  // Two equal numbers by which a passphrase is seen to be right, the key, and no comment.
  const secret = Buffer.concat([
    Buffer.alloc(8),
    open,
    string(Buffer.concat([Buffer.from(d, 'base64url'), own])),
    string(Buffer.alloc(0)),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, index) => index + 1));
  const bytes = Buffer.concat([
    Buffer.from(OPENSSH_MAGIC, 'latin1'),
    none,
    none,
    string(Buffer.alloc(0)),
    uint32(1),
    string(open),
    string(Buffer.concat([secret, padding])),
  ]);
  const lines = bytes.toString('base64').match(/.{1,70}/g) ?? [];
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

function string(bytes: Buffer): Buffer {
  return Buffer.concat([uint32(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
