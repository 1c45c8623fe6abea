/** The files that options name, by their absolute paths: for a process that goes to another folder before it reads them. */
import { resolve } from 'node:path';
import { isProfileFile } from '../profiles/load.ts';
import type { Options } from './migrate-options.ts';

/** Those of {@link Options} that name files. */
type Named = Pick<
  Options,
  | 'identity'
  | 'known-hosts'
  | 'ssh-config'
  | 'inventory'
  | 'limit'
  | 'profile'
  | 'vault-password-file'
  | 'vault-id'
  | 'metrics-file'
>;

/** What is no file, though it stands where one may (`-F none`, a shipped profile's name), stays as it is. */
export function withAbsolutePaths<Given extends Partial<Named>>(given: Given): Given {
  return { ...given, ...absolute(given) };
}

function absolute(given: Partial<Named>): Partial<Named> {
  const config = given['ssh-config'];
  return {
    ...lists(given, 'identity', fromHere),
    ...lists(given, 'known-hosts', fromHere),
    ...(config === undefined || config.toLowerCase() === 'none' ? {} : { 'ssh-config': fromHere(config) }),
    ...(given.inventory === undefined ? {} : { inventory: fromHere(given.inventory) }),
    ...lists(given, 'limit', (text) => text.split(',').map(limitWord).join(',')),
    ...lists(given, 'profile', (name) => (isProfileFile(name) ? fromHere(name) : name)),
    ...lists(given, 'vault-password-file', passwordFile),
    ...lists(given, 'vault-id', vaultId),
    ...(given['metrics-file'] === undefined ? {} : { 'metrics-file': fromHere(given['metrics-file']) }),
  };
}

/** No name at all is refused as that, and not taken for this folder. */
function fromHere(file: string): string {
  return file === '' ? file : resolve(file);
}

function lists<Name extends 'identity' | 'known-hosts' | 'limit' | 'profile' | 'vault-password-file' | 'vault-id'>(
  given: Partial<Named>,
  name: Name,
  change: (text: string) => string,
): Partial<Named> {
  const texts = given[name];
  return texts === undefined ? {} : { [name]: texts.map(change) };
}

/** `@FILE`, or a pattern. */
function limitWord(word: string): string {
  return word.startsWith('@') ? `@${fromHere(word.slice(1))}` : word;
}

function passwordFile(source: string): string {
  return source === 'prompt' ? source : fromHere(source);
}

/** `ID@FILE`, `ID@prompt`, `FILE`. */
function vaultId(text: string): string {
  const at = text.lastIndexOf('@') + 1;
  return `${text.slice(0, at)}${passwordFile(text.slice(at))}`;
}
