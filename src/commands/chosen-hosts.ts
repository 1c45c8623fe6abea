/** The hosts of an inventory that a call means, once its vaults are open. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, type P2cError, usageError } from '../errors.ts';
import { isProgram } from '../fleet/ansible/load.ts';
import type { VaultPassword } from '../fleet/ansible/vault.ts';
import type { FleetHost, Inventory } from '../fleet/host.ts';
import { loadInventory } from '../fleet/inventory.ts';
import { selectHosts } from '../fleet/pattern.ts';
import { requireUsable } from '../fleet/usable.ts';
import { printable } from '../printable.ts';
import { Secret } from '../ssh/secret.ts';
import { terminalPrompt } from '../ssh/terminal-prompt.ts';
import type { InventoryOptions } from './inventory-options.ts';

export interface ChosenHosts {
  readonly inventory: Inventory;
  readonly hosts: readonly FleetHost[];
}

/**
 * The hosts of an inventory, or those of them that the words and `--limit` mean.
 * @param today fills `{{date}}` in tags.
 * @throws P2cError for a file or a word that is wrong, and for hosts of them that cannot be used.
 */
export async function chosenHosts(...call: Parameters<typeof listedHosts>): Promise<ChosenHosts> {
  const chosen = await listedHosts(...call);
  requireUsable(chosen.hosts);
  return chosen;
}

/** As `chosenHosts`, with those that cannot be used. */
export async function listedHosts(
  file: string,
  words: readonly string[],
  options: Omit<InventoryOptions, 'inventory'>,
  today?: Date,
): Promise<ChosenHosts> {
  const inventory = await loadInventory(file, { today, vaultPasswords: vaultPasswords(options) });
  if (words.some((word) => word.trim() === '')) throw namesNoHost('the pattern is empty');
  const limits = (options.limit ?? []).map(limitWords);
  const within = limits.map((limit) => new Set(selectHosts(inventory, limit)));
  const hosts = selectHosts(inventory, words).filter((host) => within.every((limit) => limit.has(host)));
  for (const note of inventory.notes) process.stderr.write(`p2c: ${printable(note)}\n`);
  if (hosts.length > 0) return { inventory, hosts };
  throw usageError(`no host of ${file} is meant`, {
    code: 'inventory.no-hosts',
    hint: `'p2c inventory ls -i ${file}' lists them`,
  });
}

/**
 * `@FILE` stands for the lines of the file, as `p2c runs show --failed` writes them.
 * @throws P2cError where none is left: an empty list must not mean all hosts, whose applications would be stopped.
 */
function limitWords(text: string): string[] {
  const words = text.split(',').flatMap((word) => (word.startsWith('@') ? linesOf(word) : [word.trim()]));
  const named = words.filter((word) => word !== '');
  if (named.length === 0) throw namesNoHost(text === '' ? '--limit is empty' : `--limit ${text} names no host`);
  return named;
}

function linesOf(word: string): string[] {
  try {
    const lines = readFileSync(word.slice(1), 'utf8').split('\n');
    return lines.map((line) => line.replace(/(?:^|\s)#.*$/, '').trim());
  } catch (cause) {
    throw usageError(`--limit ${word} cannot be read: ${messageOf(cause)}`, { code: 'inventory.limit', cause });
  }
}

function namesNoHost(message: string): P2cError {
  return usageError(message, { code: 'inventory.limit', hint: "leave it out, or write 'all', to mean all hosts" });
}

function vaultPasswords(options: Omit<InventoryOptions, 'inventory'>): VaultPassword[] {
  const files = (options['vault-password-file'] ?? []).map((file) => passwordOf(undefined, file));
  const ids = (options['vault-id'] ?? []).map((text) => {
    const at = text.lastIndexOf('@');
    const [id, source] = at < 0 ? [undefined, text] : [text.slice(0, at) || undefined, text.slice(at + 1)];
    return passwordOf(id, source);
  });
  return [...ids, ...files, ...(options['ask-vault-pass'] ? [passwordOf(undefined, 'prompt')] : [])];
}

function passwordOf(id: string | undefined, source: string): VaultPassword {
  let answer: Promise<Secret> | undefined;
  const read = (): Promise<Secret> => (source === 'prompt' ? asked(id) : fromFile(source));
  return {
    id,
    secret: () => {
      answer ??= read();
      return answer;
    },
  };
}

async function asked(id: string | undefined): Promise<Secret> {
  const prompt = terminalPrompt();
  if (prompt !== undefined) return prompt(id === undefined ? 'Vault password' : `Vault password (${id})`);
  throw usageError('--ask-vault-pass: there is no terminal to ask on', {
    code: 'usage',
    hint: 'give the password with --vault-password-file FILE',
  });
}

/** As ansible: a file that may be run is run, and what it prints is the password. */
async function fromFile(file: string): Promise<Secret> {
  try {
    const text = isProgram(file) ? await outputOf(resolve(file)) : readFileSync(file, 'utf8');
    const password = text.trim();
    if (password !== '') return new Secret(password);
  } catch (cause) {
    throw usageError(`the vault's password file ${file} cannot be read: ${messageOf(cause)}`, {
      code: 'inventory.vault',
      cause,
    });
  }
  throw usageError(`the vault's password file ${file} is empty`, { code: 'inventory.vault' });
}

async function outputOf(program: string): Promise<string> {
  const child = spawn(program, [], { stdio: ['inherit', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  let text = '';
  for await (const chunk of child.stdout.setEncoding('utf8')) if (text.length < 65_536) text += chunk;
  const [code] = await ended;
  if (code === 0) return text;
  throw new Error(`it ended with ${code ?? 'a signal'}`);
}
