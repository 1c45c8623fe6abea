/** Decides whether a server is the one the user means, by its host key. ssh2 would take any key: this is ours to do. */
import { createHash } from 'node:crypto';
import { mkdir, open, readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { messageOf, P2cError, systemCode } from '../errors.ts';
import { type KnownKey, knownHostName, knownKeys } from './known-hosts.ts';
import type { Target } from './target.ts';

const LARGEST_FILE = 16 * 1024 * 1024;

/** Where ssh looks, the user's own files first. */
export function defaultKnownHosts(home: string = homedir()): string[] {
  return [join(home, '.ssh/known_hosts'), join(home, '.ssh/known_hosts2'), '/etc/ssh/ssh_known_hosts'];
}

/** @throws P2cError `ssh.known-hosts` for a file that is there and cannot be read. */
export async function readKnownKeys(files: readonly string[], target: Target): Promise<KnownKey[]> {
  const keys: KnownKey[] = [];
  for (const file of files) {
    try {
      if ((await stat(file)).size > LARGEST_FILE) throw new Error('it is larger than 16 MiB');
      keys.push(...knownKeys(await readFile(file, 'latin1'), file, target.host, target.port));
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

/** The type that a key's wire form begins with (RFC 4253, 6.6). */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return key.toString('latin1', 4, 4 + Math.min(length, 64));
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

export type HostKeyVerdict = 'known' | 'new';

/**
 * Judges the key that a server shows.
 * @throws P2cError `ssh.host-key-revoked`, `ssh.host-key-changed`; `ssh.host-key-unknown` where `acceptNew` is false.
 */
export function judgeHostKey(
  key: Buffer,
  known: readonly KnownKey[],
  target: Target,
  acceptNew: boolean,
): HostKeyVerdict {
  const text = key.toString('base64');
  const shown = `${keyType(key)} ${fingerprint(key)}`;
  const same = known.filter((item) => item.key === text);
  const revoked = same.find((item) => item.marker === '@revoked');
  if (revoked !== undefined) {
    throw new P2cError(`the host key of ${target.name} (${shown}) is revoked by ${revoked.file}:${revoked.line}`, {
      code: 'ssh.host-key-revoked',
      hint: 'somebody may stand between this machine and the server: ask who runs it',
    });
  }
  if (same.some((item) => item.marker === '')) return 'known';
  const plain = known.filter((item) => item.marker === '' && !item.withoutPort);
  const other = plain.find((item) => item.type === keyType(key)) ?? plain[0];
  if (other !== undefined) throw changed(target, shown, other);
  if (acceptNew) return 'new';
  throw unknown(
    target,
    shown,
    known.some((item) => item.marker === '@cert-authority'),
  );
}

function changed(target: Target, shown: string, other: KnownKey): P2cError {
  const was = `${other.type} ${fingerprint(Buffer.from(other.key, 'base64'))}`;
  return new P2cError(
    `the host key of ${target.name} has changed: it shows ${shown}, and ${other.file}:${other.line} knows ${was}`,
    {
      code: 'ssh.host-key-changed',
      hint: `somebody may stand between this machine and the server. If its key was really renewed, remove the old one: ssh-keygen -f ${other.file} -R '${knownHostName(target.host, target.port)}'`,
    },
  );
}

function unknown(target: Target, shown: string, authority: boolean): P2cError {
  const by = authority ? ' (a @cert-authority line names it, but p2c cannot verify host certificates)' : '';
  return new P2cError(`the host key of ${target.name} is not known: ${shown}${by}`, {
    code: 'ssh.host-key-unknown',
    hint: 'compare the fingerprint with one the server itself shows (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new-host-key',
  });
}

/**
 * Remembers a key as ssh does: a line at the end of the user's file, made with its folder where it is missing.
 * @throws P2cError `ssh.known-hosts` where the file cannot be written: the next run would not know the server.
 */
export async function rememberHostKey(file: string, key: Buffer, target: Target): Promise<void> {
  const line = `${knownHostName(target.host, target.port)} ${keyType(key)} ${key.toString('base64')}\n`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await using handle = await open(file, 'a+', 0o600);
    const { size } = await handle.stat();
    const last = Buffer.alloc(1);
    if (size > 0) await handle.read(last, 0, 1, size - 1);
    await handle.appendFile(size === 0 || last.toString() === '\n' ? line : `\n${line}`);
  } catch (error) {
    throw new P2cError(`the new host key cannot be written to ${file}: ${messageOf(error)}`, {
      code: 'ssh.known-hosts',
      hint: 'make the file writable, or name another with --known-hosts FILE',
      cause: error,
    });
  }
}
