/** Reads an inventory, whichever kind of file it is: p2c's own, or one of Ansible's as it is. */
import { statSync } from 'node:fs';
import { extname } from 'node:path';
import { isMap, isScalar, parseDocument } from 'yaml';
import { usageError } from '../errors.ts';
import { ansibleInventory } from './ansible/inventory.ts';
import { readInventoryText } from './ansible/text-file.ts';
import { isVault, Vault, type VaultPassword } from './ansible/vault.ts';
import type { Inventory } from './host.ts';
import { loadOwn } from './own-inventory.ts';

export interface InventoryOptions {
  /** Fills `{{date}}` in tags. */
  readonly today?: Date | undefined;
  readonly vaultPasswords?: readonly VaultPassword[] | undefined;
}

/** The top keys of p2c's own file; in Ansible's YAML they are names of groups. */
const OWN_KEYS = ['hosts', 'defaults'];

/**
 * @throws P2cError `inventory.missing`, `inventory.unreadable`, `inventory.vault`, `inventory.template`, or
 * `inventory.invalid` with mistakes as `file:line:column: what`.
 */
export async function loadInventory(path: string, options: InventoryOptions = {}): Promise<Inventory> {
  const { today = new Date(), vaultPasswords = [] } = options;
  const found = statSync(path, { throwIfNoEntry: false });
  const own = found?.isFile() === true && isOwn(path);
  const inventory = own ? loadOwn(path, today) : await ansibleInventory(path, new Vault(vaultPasswords), today);
  if (inventory.hosts.length === 0) throw usageError(`the inventory ${path} has no hosts`, { code: 'inventory.empty' });
  return inventory;
}

/** Told by the keys at its top. A file that is not well-formed is told of by the reader of the kind that it looks like. */
function isOwn(file: string): boolean {
  if (!['.yml', '.yaml'].includes(extname(file))) return false;
  const text = readInventoryText(file);
  // What a vault hides is known once it is open, and p2c's own files are in none.
  if (isVault(text)) return false;
  const { contents } = parseDocument(text, {
    prettyErrors: false,
    uniqueKeys: false,
    logLevel: 'silent',
  });
  if (!isMap(contents)) return true;
  return contents.items.some(({ key }) => isScalar(key) && OWN_KEYS.includes(String(key.value)));
}
