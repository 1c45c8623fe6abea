/** known_hosts files as OpenSSH reads them (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { matchesGlob } from '../glob.ts';

export interface KnownKey {
  readonly marker: '' | '@revoked' | '@cert-authority';
  /** Key type as written: `ssh-ed25519`. */
  readonly type: string;
  /** The key's wire form in base64; or its digest, where `digest` says so. */
  readonly key: string;
  readonly digest?: 'sha1' | 'sha256';
  readonly file: string;
  /** From 1; 0 in a file that has no lines. */
  readonly line: number;
  /** True for a key of the host's name without its port: it vouches for a server, and does not speak against one. */
  readonly withoutPort: boolean;
  /** True for one that this run took as new: it is in no file, speaks against another, and vouches for nothing. */
  readonly taken?: true;
}

/** The name a server is known by: `host`, or `[host]:port` where the port is not 22. */
export function knownHostName(host: string, port: number): string {
  const name = host.toLowerCase();
  return port === 22 ? name : `[${name}]:${port}`;
}

const LONGEST_LINE = 64 * 1024;
const CERTIFICATE = /-cert-v\d+@/;

/**
 * The keys that the text of one file has for a server: those of `[host]:port`, and those of `host`, which ssh takes
 * where it finds no others. Lines that are malformed are passed over, as ssh does.
 */
export function knownKeys(text: string, file: string, host: string, port: number): KnownKey[] {
  const name = knownHostName(host, port);
  const plain = knownHostName(host, 22);
  const keys: KnownKey[] = [];
  text.split('\n').forEach((written, index) => {
    const line = written.trim();
    if (line === '' || line.startsWith('#') || line.length > LONGEST_LINE) return;
    const fields = line.split(/[ \t]+/);
    const marker = fields[0]?.startsWith('@') === true ? fields.shift() : '';
    const [hosts, type, key] = fields;
    if (marker !== '' && marker !== '@revoked' && marker !== '@cert-authority') return;
    if (hosts === undefined || type === undefined || key === undefined || !isKey(type, key)) return;
    const found = { marker, type, key, file, line: index + 1 } as const;
    if (matchesHosts(hosts, name)) keys.push({ ...found, withoutPort: false });
    else if (matchesHosts(hosts, plain)) keys.push({ ...found, withoutPort: true });
  });
  return keys;
}

/**
 * Of the keys that are known, those that a server may have: of its name with its port, or of the name alone where ssh would
 * ask for that. It does only where it has no key at all of the full name, of whichever type (OpenSSH 9.2's sshconnect.c,
 * check_host_key: a key of another type is HOST_CHANGED too, and only HOST_NEW is looked up "without port identifier").
 */
export function vouchingKeys(known: readonly KnownKey[]): readonly KnownKey[] {
  const unmarked = known.filter(({ marker }) => marker === '');
  const full = unmarked.filter(({ withoutPort }) => !withoutPort);
  return full.length > 0 ? full : unmarked;
}

/**
 * A list of public keys without hosts, each revoked for every server.
 * @throws Error for a line that is no key: ssh trusts no server then (authfile.c, sshkey_in_file), for what was to be revoked
 * there is not known. A certificate is one too: ssh takes it for its key, which p2c does not look for in it.
 */
export function revokedKeys(text: string, file: string): KnownKey[] {
  return text.split('\n').flatMap((written, index) => {
    const line = written.trim();
    if (line === '' || line.startsWith('#')) return [];
    const [type, key] = line.split(/[ \t]+/);
    if (type === undefined || key === undefined || !isKey(type, key) || CERTIFICATE.test(type)) {
      throw new Error(`its line ${index + 1} is no public key`);
    }
    return { marker: '@revoked', type, key, file, line: index + 1, withoutPort: false } as const;
  });
}

/** A name as HashKnownHosts writes it: nobody who reads the file learns which servers its owner knows. */
export function hashedHostName(name: string): string {
  const salt = randomBytes(20);
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

/** A key's wire form: its type, and whole fields to its end (RFC 4253, 6.6); in base64 as it is compared. */
function isKey(type: string, key: string): boolean {
  const bytes = Buffer.from(key, 'base64');
  if (bytes.toString('base64') !== key) return false;
  let at = 0;
  while (at + 4 <= bytes.length) at += 4 + bytes.readUInt32BE(at);
  return (
    at === bytes.length &&
    bytes.length > 4 + type.length &&
    bytes.toString('latin1', 4, 4 + bytes.readUInt32BE(0)) === type
  );
}

/** `name,pattern,!not-this` or one hashed name. A negated pattern that matches rules the whole line out. */
function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let matched = false;
  for (const pattern of hosts.toLowerCase().split(',')) {
    if (pattern.startsWith('!')) {
      if (matchesGlob(name, pattern.slice(1))) return false;
    } else if (matchesGlob(name, pattern)) matched = true;
  }
  return matched;
}

/** `|1|SALT|HASH`: HMAC-SHA1 of the name under the salt. */
function matchesHash(hashed: string, name: string): boolean {
  const [, version, salt, hash] = hashed.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const expected = Buffer.from(hash, 'base64');
  const actual = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return expected.length === actual.length && timingSafeEqual(expected, actual);
}
