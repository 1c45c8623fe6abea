/** Decides whether a server is the one the user means, by its host key. ssh2 would take any key: this is ours to do. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, P2cError, systemCode, usageError } from '../errors.ts';
import { hashedHostName, type KnownKey, knownHostName, knownKeys, revokedKeys, vouchingKeys } from './known-hosts.ts';
import { isKrl, krlKeys } from './krl.ts';
import { roleOf, type Target } from './target.ts';

const LARGEST_FILE = 16 * 1024 * 1024;

/** Where ssh looks, the user's own files first (ssh_config(5), UserKnownHostsFile and GlobalKnownHostsFile). */
export function defaultKnownHosts(home: string = homedir()): string[] {
  const own = ['known_hosts', 'known_hosts2'].map((name) => join(home, '.ssh', name));
  return [...own, '/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];
}

/** @throws P2cError `ssh.known-hosts` for a file that is there and cannot be read. */
export async function readKnownKeys(files: readonly string[], { host, port }: KnownAs): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const file of files) {
    try {
      keys.push(...knownKeys(await readText(file), file, host, port));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') continue;
      throw new P2cError(`the known hosts file ${file} cannot be read: ${messageOf(error)}`, {
        code: 'ssh.known-hosts',
        hint: 'make it readable, or name another with --known-hosts FILE',
        cause: error,
      });
    }
  }
  return keys;
}

async function readText(file: string): Promise<string> {
  return (await readBytes(file)).toString('latin1');
}

async function readBytes(file: string): Promise<Buffer> {
  if ((await stat(file)).size > LARGEST_FILE) throw new Error('it is larger than 16 MiB');
  return await readFile(file);
}

/**
 * The keys of ssh_config's RevokedHostKeys: public keys, one on a line, or a list that `ssh-keygen -k` made.
 * @throws P2cError `ssh.known-hosts` for a file that is missing or cannot be read: ssh then trusts no key either.
 */
export async function readRevokedKeys(files: readonly string[]): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const file of files) {
    try {
      const bytes = await readBytes(file);
      keys.push(...(isKrl(bytes) ? krlKeys(bytes, file) : revokedKeys(bytes.toString('latin1'), file)));
    } catch (error) {
      throw new P2cError(`the revoked host keys of ${file} cannot be read: ${messageOf(error)}`, {
        code: 'ssh.known-hosts',
        hint: 'let RevokedHostKeys name a list of public keys or of ssh-keygen -k, or name another configuration with -F FILE',
        cause: error,
      });
    }
  }
  return keys;
}

/** The type that a key's wire form begins with (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString('latin1', 4, 4 + Math.min(length, 64));
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/**
 * A fingerprint as `ssh-keygen -l` prints it.
 * @throws P2cError for any other text.
 */
export function parseFingerprint(text: string): string {
  if (/^SHA256:[A-Za-z0-9+/]{43}=?$/.test(text)) return text.replace(/=$/, '');
  throw usageError(`'${text}' is not the fingerprint of a host key`, {
    code: 'usage',
    hint: 'write SHA256: and 43 characters, as ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub prints it on the server',
  });
}

export type HostKeyVerdict = 'known' | 'new';

export interface HostKeyPolicy {
  readonly known: readonly KnownKey[];
  readonly acceptNew: boolean;
  /** Fingerprints that the user gave for this server; where there are any, known_hosts is asked for revoked keys only. */
  readonly pinned: readonly string[];
  /** The host and port by which known_hosts knows it. */
  readonly knownAs: KnownAs;
  /** Of the server, those that were taken as new while p2c runs: another connection may have taken one meanwhile. */
  readonly taken: () => readonly KnownKey[];
  /** Told of a new key that is taken, before anything is said to who showed it. */
  readonly onNew: (key: Buffer) => void;
}

export interface KnownAs {
  readonly host: string;
  readonly port: number;
}

/**
 * Judges the key that a server shows.
 * @throws P2cError `ssh.host-key-revoked`, `ssh.host-key-mismatch`, `ssh.host-key-changed`; `ssh.host-key-unknown` where
 * new keys are not accepted.
 */
export function judgeHostKey(key: Buffer, target: Target, policy: HostKeyPolicy): HostKeyVerdict {
  const { pinned } = policy;
  const known = [...policy.known, ...policy.taken()];
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const same = known.filter((item) => isKey(item, key));
  const revoked = same.find((item) => item.marker === '@revoked');
  if (revoked !== undefined) {
    const where = revoked.line === 0 ? revoked.file : `${revoked.file}:${revoked.line}`;
    throw new P2cError(`the host key of ${roleOf(target)}${target.name} (${shown}) is revoked by ${where}`, {
      code: 'ssh.host-key-revoked',
      hint: 'somebody may stand between this machine and the server: ask who runs it',
    });
  }
  if (pinned.length > 0) {
    if (pinned.includes(fingerprint(key))) return 'known';
    throw notPinned(target, shown, pinned);
  }
  const vouching = vouchingKeys(known);
  const own = vouching.filter((item) => isKey(item, key));
  if (own.some((item) => item.taken !== true)) return 'known';
  const plain = own.length > 0 ? [] : vouching.filter((item) => !item.withoutPort);
  const other = plain.find((item) => item.type === keyType(key)) ?? plain[0];
  if (other !== undefined) throw changed(target, shown, other, policy.knownAs);
  if (policy.acceptNew) return 'new';
  throw unknown(
    target,
    shown,
    known.some((item) => item.marker === '@cert-authority'),
  );
}

function isKey(item: KnownKey, key: Buffer): boolean {
  const form = item.digest === undefined ? key : createHash(item.digest).update(key).digest();
  return item.key === form.toString('base64');
}

function notPinned(target: Target, shown: string, pinned: readonly string[]): P2cError {
  return new P2cError(`the host key of ${roleOf(target)}${target.name} is ${shown}, and not ${pinned.join(' or ')}`, {
    code: 'ssh.host-key-mismatch',
    hint: 'somebody may stand between this machine and the server. A server has a key of each type: --host-key-fingerprint can be given for several',
  });
}

function changed(target: Target, shown: string, other: KnownKey, { host, port }: KnownAs): P2cError {
  const was = `${other.type} ${fingerprint(Buffer.from(other.key, 'base64'))}`;
  if (other.taken === true) return changedSince(target, shown, was);
  return new P2cError(
    `the host key of ${roleOf(target)}${target.name} has changed: it shows ${shown}, and ${other.file}:${other.line} knows ${was}`,
    {
      code: 'ssh.host-key-changed',
      hint: `somebody may stand between this machine and the server. If its key was really renewed, remove the old one: ssh-keygen -f ${other.file} -R '${knownHostName(host, port)}'`,
    },
  );
}

function changedSince(target: Target, shown: string, was: string): P2cError {
  return new P2cError(
    `the host key of ${roleOf(target)}${target.name} has changed since it was taken as new: it shows ${shown}, and showed ${was}`,
    {
      code: 'ssh.host-key-changed',
      hint: 'somebody may stand between this machine and the server, or several servers answer at this address. --host-key-fingerprint, or a file of --known-hosts, says which is meant',
    },
  );
}

function unknown(target: Target, shown: string, authority: boolean): P2cError {
  const by = authority ? ' (a @cert-authority line names it, but p2c cannot verify host certificates)' : '';
  return new P2cError(`the host key of ${roleOf(target)}${target.name} is not known: ${shown}${by}`, {
    code: 'ssh.host-key-unknown',
    hint: `compare the fingerprint with one the server itself shows (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new-host-key, or ${
      target.jump === true
        ? 'write its key into known_hosts (--host-key-fingerprint is for the target)'
        : 'with --host-key-fingerprint SHA256:…'
    }`,
  });
}

/** What the user should know of a key that was taken unseen. @param kept whether the file, where there is one, has it now. */
export function newKeyTaken(target: Target, key: Buffer, file: string | undefined, kept: boolean): string {
  const why = file === undefined ? 'no known hosts file is configured' : `${file} keeps nothing`;
  const how = kept
    ? `recorded in ${file}`
    : `taken for this time and not remembered, for ${why} (--known-hosts FILE names one)`;
  return `the host key of ${roleOf(target)}${target.name} was not known; ${how}: ${keyType(key)} ${fingerprint(key)}`;
}

/**
 * Remembers a key as ssh does: a line at the end of the user's file, made with its folder where it is missing.
 * @param hashed whether the name is to be hidden, as HashKnownHosts has it.
 * @returns false where the file is none that keeps anything: /dev/null.
 * @throws P2cError `ssh.known-hosts` where the file cannot be written: the next run would not know the server.
 */
export async function rememberHostKey(file: string, key: Buffer, knownAs: KnownAs, hashed: boolean): Promise<boolean> {
  const name = knownHostName(knownAs.host, knownAs.port);
  const line = `${hashed ? hashedHostName(name) : name} ${keyType(key)} ${key.toString('base64')}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await using handle = await open(file, 'a+', 0o600);
    const status = await handle.stat();
    if (!status.isFile()) return false;
    const { size } = status;
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    await handle.appendFile(size === 0 || last.toString() === '\n' ? line : `\n${line}`);
    return true;
  } catch (error) {
    throw new P2cError(`the new host key cannot be written to ${file}: ${messageOf(error)}`, {
      code: 'ssh.known-hosts',
      hint: 'make the file writable, or name another with --known-hosts FILE',
      cause: error,
    });
  }
}
