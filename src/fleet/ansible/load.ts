/** Reads an Ansible inventory as it is: one file, YAML or INI, or a folder of them, with the variables beside it. */
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { usageError } from '../../errors.ts';
import { readIni } from './ini.ts';
import { readInventoryText } from './text-file.ts';
import { Tree, type VariablesOfFiles } from './tree.ts';
import { variablesBeside } from './vars-files.ts';
import { isVault, type Vault } from './vault.ts';
import { isMapping, readGroups } from './yaml.ts';

export interface AnsibleInventory {
  readonly tree: Tree;
  readonly files: VariablesOfFiles;
}

const YAML = ['.yml', '.yaml', '.json'];
/** What Ansible passes over in a folder (its setting INVENTORY_IGNORE_EXTS). */
const IGNORED = [...['.pyc', '.pyo', '.swp', '.bak', '.rpm', '.md', '.txt', '.rst', '.orig', '.ini', '.cfg', '.retry']];
const FOLDERS = ['group_vars', 'host_vars', 'vars_plugins'];

/** @throws P2cError `inventory.*` with file and line. */
export async function loadAnsible(path: string, vault: Vault): Promise<AnsibleInventory> {
  const tree = new Tree();
  const folder = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  for (const file of folder ? filesIn(path) : [path]) await readSource(file, tree, vault);
  tree.complete();
  return { tree, files: await variablesBeside(folder ? path : dirname(path), tree, vault) };
}

async function readSource(file: string, tree: Tree, vault: Vault): Promise<void> {
  const text = readInventoryText(file);
  if (text.startsWith('#!') && isProgram(file)) {
    throw usageError(`${file} is a program: p2c runs none to get an inventory`, {
      code: 'inventory.invalid',
      hint: `'ansible-inventory -i ${file} --list --yaml --output hosts.yaml' writes what it says into a file`,
    });
  }
  const open = isVault(text) ? await vault.open(text, file) : text;
  // As Ansible does: without an extension it is YAML where it can be.
  const extension = extname(file);
  if (YAML.includes(extension) || (extension === '' && isMapping(open))) readGroups(open, file, tree);
  else readIni(open, file, tree);
}

/** Whether a file may be run: Ansible asks a program for what it would read in another file. */
export function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.') && !name.endsWith('~') && !IGNORED.includes(extname(name)))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return FOLDERS.includes(entry.name) ? [] : filesIn(path);
      return [path];
    });
}
