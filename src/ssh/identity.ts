/** The keys p2c may authenticate with: files that the user named, or the ones ssh would try. */
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type ParsedKey } from 'ssh2';
import { P2cError, systemCode, usageError } from '../errors.ts';
import type { Prompt } from './secret.ts';

export interface Identity {
  readonly file: string;
  readonly key: ParsedKey;
}

const LARGEST_KEY = 1024 * 1024;
const ATTEMPTS = 3;

/**
 * @throws P2cError `ssh.identity` for a named file that is missing, unreadable, no private key, or locked by a
 * passphrase that nobody could be asked for or that was wrong three times.
 */
export async function loadIdentities(files: readonly string[], prompt: Prompt | undefined): Promise<Identity[]> {
  const identities: Identity[] = [];
  for (const file of files) identities.push({ file, key: await loadKey(file, prompt) });
  return identities;
}

/** ssh's default files, those that are there and open; a locked one needs somebody to ask. */
export async function loadDefaultIdentities(prompt: Prompt | undefined, home: string = homedir()): Promise<Identity[]> {
  const identities: Identity[] = [];
  for (const name of ['id_ed25519', 'id_ecdsa', 'id_rsa']) {
    const file = join(home, '.ssh', name);
    try {
      await stat(file);
      identities.push({ file, key: await loadKey(file, prompt) });
    } catch {
      // Not there, or not to be opened: ssh goes on to the next one too.
    }
  }
  return identities;
}

async function loadKey(file: string, prompt: Prompt | undefined): Promise<ParsedKey> {
  const text = await readKey(file);
  const open = ssh2.utils.parseKey(text);
  if (!(open instanceof Error)) return privateKey(file, open);
  if (!/passphrase|encrypted/i.test(open.message)) {
    throw refused(
      file,
      `it is no private key that p2c can read (${open.message})`,
      'ed25519, ecdsa and rsa keys in OpenSSH or PEM form are read',
    );
  }
  if (prompt === undefined) {
    throw refused(
      file,
      'it is locked by a passphrase, and there is no terminal to ask on',
      'add it to an ssh-agent (ssh-add), or run p2c on a terminal',
    );
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const key = ssh2.utils.parseKey(text, (await prompt(`Passphrase of ${file}:`)).reveal());
    if (!(key instanceof Error)) return privateKey(file, key);
  }
  throw refused(file, `its passphrase was wrong ${ATTEMPTS} times`, 'try it with: ssh-keygen -y -f FILE');
}

async function readKey(file: string): Promise<Buffer> {
  try {
    const { size } = await stat(file);
    if (size > LARGEST_KEY) throw refused(file, `it has ${size} bytes`, 'name the private key file');
    return await readFile(file);
  } catch (error) {
    if (error instanceof P2cError) throw error;
    const what = systemCode(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${systemCode(error)})`;
    throw refused(file, what, 'name a private key file that you may read', error);
  }
}

/** ssh2 gives a list for files that hold several keys. */
function privateKey(file: string, parsed: ParsedKey | ParsedKey[]): ParsedKey {
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key?.isPrivateKey()) return key;
  throw refused(
    file,
    'it is a public key',
    `name the private key, which lies beside it: ${file.replace(/\.pub$/, '')}`,
  );
}

function refused(file: string, what: string, hint: string, cause?: unknown): P2cError {
  return usageError(`the identity ${file} cannot be used: ${what}`, { code: 'ssh.identity', hint, cause });
}
