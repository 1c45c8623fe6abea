/** The public half of a key pair, as far as its files tell it without a passphrase. */
import { readFile } from 'node:fs/promises';
import { openPublicPart, parseKey } from './private-key.ts';

/**
 * As ssh looks for it (authfile.c, sshkey_load_public): in the file itself, which may hold a public key, and then in the one
 * beside it.
 * @param file a private key's.
 * @returns its wire form; undefined where neither tells it.
 */
export async function publicPart(file: string): Promise<Buffer | undefined> {
  for (const name of [file, `${file}.pub`]) {
    try {
      const text = await readFile(name);
      const parsed = parseKey(text);
      const key = Array.isArray(parsed) ? parsed[0] : parsed;
      if (key !== undefined && !(key instanceof Error)) return key.getPublicSSH();
      const open = openPublicPart(text);
      if (open !== undefined) return open;
    } catch {
      // Not there, or not to be read: the next.
    }
  }
  return undefined;
}
