/**
 * `group_vars` and `host_vars` beside an inventory: NAME, NAME.yml, NAME.yaml or NAME.json, or a folder NAME with any
 * number of files (ansible, parsing/dataloader.py, find_vars_files). Each of them may be a vault as a whole.
 */
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { readInventoryText } from './text-file.ts';
import type { Tree, VariablesOfFiles } from './tree.ts';
import type { AnsibleValue, Variables } from './value.ts';
import { isVault, type Vault } from './vault.ts';
import { readVariables } from './yaml.ts';

const EXTENSIONS = ['', '.yml', '.yaml', '.json'];
const MAX_DEPTH = 8;

/** @param folder where the inventory lies. @throws P2cError `inventory.*`. */
export async function variablesBeside(folder: string, tree: Tree, vault: Vault): Promise<VariablesOfFiles> {
  const read = async (kind: string, names: Iterable<string>): Promise<Map<string, Variables>> => {
    const found = new Map<string, Variables>();
    for (const name of names) {
      // A name of the inventory is no path: `../x` names no file beside it.
      if (name.includes('/') || name.startsWith('.')) continue;
      const files = filesFor(join(folder, kind), name);
      if (files.length > 0) found.set(name, await readAll(files, vault));
    }
    return found;
  };
  return { groups: await read('group_vars', tree.groups.keys()), hosts: await read('host_vars', tree.hosts.keys()) };
}

async function readAll(files: readonly string[], vault: Vault): Promise<Variables> {
  const variables = new Map<string, AnsibleValue>();
  for (const file of files) {
    const text = readInventoryText(file);
    const open = isVault(text) ? await vault.open(text, file) : text;
    for (const [key, value] of readVariables(open, file)) variables.set(key, value);
  }
  return variables;
}

function filesFor(folder: string, name: string): string[] {
  for (const extension of EXTENSIONS) {
    const path = join(folder, `${name}${extension}`);
    const kind = kindOf(path);
    if (kind === 'file') return [path];
    if (kind === 'folder') return filesIn(path, 0);
  }
  return [];
}

/** In the order of their names. */
function filesIn(folder: string, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.') && !name.endsWith('~'))
    .sort()
    .flatMap((name) => {
      const path = join(folder, name);
      const kind = kindOf(path);
      if (kind === 'folder') return extname(name) === '' ? filesIn(path, depth + 1) : [];
      return kind === 'file' && EXTENSIONS.includes(extname(name)) ? [path] : [];
    });
}

function kindOf(path: string): 'file' | 'folder' | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isFile() === true) return 'file';
  return found?.isDirectory() === true ? 'folder' : undefined;
}
