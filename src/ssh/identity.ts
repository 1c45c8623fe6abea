/** The keys p2c may authenticate with: files that the user named, or the ones ssh would try. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ParsedKey } from 'ssh2';
import { messageOf, P2cError, systemCode, usageError } from '../errors.ts';
import { parseKey, unreadableCipher } from './private-key.ts';
import { publicPart } from './public-part.ts';
import type { Prompt } from './secret.ts';

/** A private key file that was read. A passphrase is asked for only when a server takes the key. */
export interface Identity {
  readonly file: string;
  /** True where the user named it: what is wrong with it is then an error, and not a reason to try the next. */
  readonly named: boolean;
  readonly locked: boolean;
  /** Of one that is locked, the public half in wire form, where its files tell it. */
  readonly publicPart?: Buffer | undefined;
  /** @throws P2cError `ssh.identity` where nobody can be asked for the passphrase; `ssh.passphrase` where it was wrong three times. */
  unlock(prompt: Prompt | undefined): Promise<ParsedKey>;
}

const LARGEST_KEY = 1024 * 1024;
const ATTEMPTS = 3;

/** @throws P2cError `ssh.identity` for a file that is missing, unreadable or no private key. */
export async function loadIdentities(files: readonly string[]): Promise<Identity[]> {
  return Promise.all(files.map((file) => loadIdentity(file, true)));
}

/** Where ssh keeps keys of the types that p2c reads. */
export function defaultIdentityFiles(home: string = homedir()): string[] {
  return ['id_ed25519', 'id_ecdsa', 'id_rsa'].map((name) => join(home, '.ssh', name));
}

/**
 * Those of the files that are there and hold a private key.
 * @param onNotice told of a key that ssh would not use either, and say so.
 */
export async function loadUsableIdentities(
  files: readonly string[],
  onNotice: (line: string) => void = () => {},
): Promise<Identity[]> {
  const identities: Identity[] = [];
  for (const file of files) {
    try {
      identities.push(await loadIdentity(file, false));
    } catch (error) {
      if (!(error instanceof P2cError)) throw error;
      // Not there, or no key: ssh goes on to the next one too.
      if (error.code === 'ssh.identity-mode') onNotice(`${error.message}; ${error.hint}`);
    }
  }
  return identities;
}

/** The certificates that ssh would show: those that are configured, and one beside each key. */
export async function certificatesOf(keys: readonly string[], configured: readonly string[]): Promise<string[]> {
  const files = [...new Set([...configured, ...keys.map((key) => `${key}-cert.pub`)].map((file) => resolve(file)))];
  const there = await Promise.all(
    files.map((file) =>
      stat(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return files.filter((_, index) => there[index]);
}

async function loadIdentity(file: string, named: boolean): Promise<Identity> {
  const { text, openTo } = await readKey(file);
  const parsed = parseKey(text);
  if (!(parsed instanceof Error)) {
    const key = privateKey(file, parsed);
    if (openTo !== undefined) throw openToOthers(file, openTo);
    return { file, named, locked: false, unlock: async () => key };
  }
  if (!/passphrase|encrypted/i.test(parsed.message)) {
    throw refused(
      file,
      `it is no private key that p2c can read (${parsed.message})`,
      'ed25519, ecdsa and rsa keys in OpenSSH, PEM or PKCS#8 form are read',
    );
  }
  if (openTo !== undefined) throw openToOthers(file, openTo);
  const cipher = unreadableCipher(text);
  if (cipher !== undefined) {
    throw refused(
      file,
      `it is encrypted with ${cipher}, which p2c cannot read`,
      `encrypt it otherwise (ssh-keygen -p -Z aes256-ctr -f ${file}), or add it to an ssh-agent`,
    );
  }
  return {
    file,
    named,
    locked: true,
    publicPart: await publicPart(file),
    unlock: (prompt) => unlock(file, text, prompt),
  };
}

/**
 * Keys that were unlocked, by their files' content: whoever comes later (the target after a jump host, a link that is made again,
 * a batch's next hosts) asks for no passphrase. Those that begin together ask one after the other.
 */
const unlocked = new Map<string, ParsedKey>();

async function unlock(file: string, text: Buffer, prompt: Prompt | undefined): Promise<ParsedKey> {
  const content = createHash('sha256').update(text).digest('hex');
  const known = unlocked.get(content);
  if (known !== undefined) return known;
  const key = await askForPassphrase(file, text, prompt);
  unlocked.set(content, key);
  return key;
}

async function askForPassphrase(file: string, text: Buffer, prompt: Prompt | undefined): Promise<ParsedKey> {
  if (prompt === undefined) {
    throw refused(
      file,
      'it is locked by a passphrase, and there is no terminal to ask on',
      'add it to an ssh-agent (ssh-add), or run p2c on a terminal',
    );
  }
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const key = parseKey(text, (await prompt(`Passphrase of ${file}:`)).reveal());
    if (!(key instanceof Error)) return privateKey(file, key);
    if (/unsupported/i.test(key.message)) {
      throw refused(file, `its encryption cannot be read (${messageOf(key)})`, 'add it to an ssh-agent (ssh-add)');
    }
  }
  throw new P2cError(`the passphrase of ${file} was wrong ${ATTEMPTS} times`, {
    code: 'ssh.passphrase',
    hint: `try it with: ssh-keygen -y -f ${file}`,
  });
}

/** `openTo` is the mode of a file of the user's that others may read or write. */
async function readKey(file: string): Promise<{ readonly text: Buffer; readonly openTo: number | undefined }> {
  try {
    const { size, uid, mode } = await stat(file);
    if (size > LARGEST_KEY) throw refused(file, `it has ${size} bytes`, 'name the private key file');
    const openTo = uid === process.getuid?.() && (mode & 0o077) !== 0 ? mode & 0o777 : undefined;
    return { text: await readFile(file), openTo };
  } catch (error) {
    if (error instanceof P2cError) throw error;
    const what = systemCode(error) === 'ENOENT' ? 'there is no such file' : `it cannot be read (${systemCode(error)})`;
    throw refused(file, what, 'name a private key file that you may read', error);
  }
}

/** As ssh does, which calls it unprotected. */
function openToOthers(file: string, mode: number): P2cError {
  const octal = mode.toString(8).padStart(4, '0');
  return usageError(`the identity ${file} is not used: others may read or change it (mode ${octal})`, {
    code: 'ssh.identity-mode',
    hint: `chmod 600 ${file}`,
  });
}

/** ssh2 gives a list for files that hold several keys. */
function privateKey(file: string, parsed: ParsedKey | ParsedKey[]): ParsedKey {
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  if (key?.isPrivateKey()) return key;
  const beside = file.endsWith('.pub') ? `: ${file.replace(/(-cert)?\.pub$/, '')}` : '';
  const what = file.endsWith('-cert.pub') ? 'it is a certificate, which p2c cannot show' : 'it is a public key';
  throw refused(file, what, `name the private key, which lies beside it${beside}`);
}

function refused(file: string, what: string, hint: string, cause?: unknown): P2cError {
  return usageError(`the identity ${file} cannot be used: ${what}`, { code: 'ssh.identity', hint, cause });
}
