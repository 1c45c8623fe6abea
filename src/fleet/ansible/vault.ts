/** Ansible Vault 1.1 and 1.2 (ansible, parsing/vault/__init__.py): AES256 in counter mode, authenticated, keys by PBKDF2. */
import { createDecipheriv, createHmac, pbkdf2Sync, timingSafeEqual } from 'node:crypto';
import { usageError } from '../../errors.ts';
import type { Secret } from '../../ssh/secret.ts';

const HEADER = /^\$ANSIBLE_VAULT;(1\.[0-9]+);([A-Z0-9]+)(?:;([^\s;]+))?\s*$/;
const ITERATIONS = 10_000;
const KEY_BYTES = 32;
const IV_BYTES = 16;

export function isVault(text: string): boolean {
  return text.trimStart().startsWith('$ANSIBLE_VAULT;');
}

/** A password, and the vault ID that it is for; without one it is tried on everything. */
export interface VaultPassword {
  readonly id: string | undefined;
  /** Asked for once, when the first value needs it. */
  readonly secret: () => Promise<Secret>;
}

export class Vault {
  readonly #passwords: readonly VaultPassword[];

  constructor(passwords: readonly VaultPassword[]) {
    this.#passwords = passwords;
  }

  /**
   * @param where for messages: `group_vars/all.yml`, `ansible_password of web1`.
   * @throws P2cError `inventory.vault`.
   */
  async open(text: string, where: string): Promise<string> {
    const [first = '', ...lines] = text.trim().split(/\r?\n/);
    const [, version, cipher, id] = HEADER.exec(first.trim()) ?? [];
    if (version === undefined) throw refused(`${where} is no vault`);
    if ((version !== '1.1' && version !== '1.2') || cipher !== 'AES256') {
      throw refused(`${where} is a vault of version ${version} with ${cipher}, and p2c knows 1.1 and 1.2 with AES256`);
    }
    if (this.#passwords.length === 0) {
      throw refused(
        `${where} is locked in a vault, and no password for it was given`,
        'give --ask-vault-pass or --vault-password-file FILE',
      );
    }
    const body = lines.map((line) => line.trim()).join('');
    // As ansible does: the ones of the vault's ID first, then all others.
    const ordered = [...this.#passwords].sort((a, b) => Number(b.id === id) - Number(a.id === id));
    for (const password of ordered) {
      const opened = decrypt(body, (await password.secret()).reveal(), where);
      if (opened !== undefined) return opened;
    }
    throw refused(`no given password opens the vault ${where}${id === undefined ? '' : ` (vault ID '${id}')`}`);
  }
}

/** @returns undefined where the password is not the one. */
function decrypt(body: string, password: string, where: string): string | undefined {
  const fields = /^(?:[0-9a-f]{2})+$/i.test(body) ? Buffer.from(body, 'hex').toString('latin1').split('\n') : [];
  const [salt, digest, content] = fields.map((field) =>
    /^(?:[0-9a-f]{2})+$/i.test(field) ? Buffer.from(field, 'hex') : undefined,
  );
  if (salt === undefined || digest === undefined || content === undefined || fields.length !== 3) {
    throw refused(`the vault ${where} is damaged`);
  }
  const keys = pbkdf2Sync(password, salt, ITERATIONS, 2 * KEY_BYTES + IV_BYTES, 'sha256');
  const authentic = createHmac('sha256', keys.subarray(KEY_BYTES, 2 * KEY_BYTES))
    .update(content)
    .digest();
  if (authentic.length !== digest.length || !timingSafeEqual(authentic, digest)) return undefined;
  const decipher = createDecipheriv('aes-256-ctr', keys.subarray(0, KEY_BYTES), keys.subarray(2 * KEY_BYTES));
  const padded = Buffer.concat([decipher.update(content), decipher.final()]);
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > IV_BYTES || padding > padded.length) throw refused(`the vault ${where} is damaged`);
  return padded.subarray(0, padded.length - padding).toString('utf8');
}

function refused(message: string, hint?: string): Error {
  return usageError(message, { code: 'inventory.vault', ...(hint === undefined ? {} : { hint }) });
}
