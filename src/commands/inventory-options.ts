/** The options that say which hosts of which inventory, and how its vaults are opened: named as Ansible names them. */
import type { Argv } from 'yargs';

export interface InventoryOptions {
  inventory: string | undefined;
  limit: string[] | undefined;
  'ask-vault-pass': boolean;
  'vault-password-file': string[] | undefined;
  'vault-id': string[] | undefined;
}

export function withInventoryOptions<Declared>(parser: Argv<Declared>): Argv<Declared & InventoryOptions> {
  const many = { type: 'string', array: true, nargs: 1, requiresArg: true } as const;
  return parser
    .option('inventory', {
      alias: 'i',
      type: 'string',
      requiresArg: true,
      describe: "inventory, p2c's or Ansible's: run over its hosts; the words left are patterns that name some of them",
    })
    .option('limit', { ...many, alias: 'l', describe: 'only those that this pattern means too; @FILE has one a line' })
    .option('ask-vault-pass', {
      alias: 'ask-vault-password',
      type: 'boolean',
      default: false,
      describe: 'ask for the password of the vaults of an Ansible inventory',
    })
    .option('vault-password-file', {
      ...many,
      alias: 'vault-pass-file',
      describe: 'file with that password, or a program that prints it',
    })
    .option('vault-id', { ...many, describe: 'ID@FILE or ID@prompt: the password of the vaults with this ID' });
}
