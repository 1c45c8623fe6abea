/** The networks of a store: `ROOT/networks/NAME.conflist`; one that was written by hand may lie in a file of another name. */
import { createHash } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf, P2cError, systemCode, usageError } from '../../errors.ts';
import { makeFolder, namesIn, replaceFile } from '../../oci/files.ts';
import { type Conflist, conflistSchema } from './conflist.ts';

/** As podman has them (libnetwork/types, NameRegex). */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,127}$/;
const ENDING = '.conflist';
/** Words that `--network` gives another meaning. */
const TAKEN = ['none', 'host', 'bridge', 'private', 'default', 'container', 'ns', 'pod', 'slirp4netns', 'pasta'];

/** @throws P2cError `network.name` (usage). */
export function checkNetworkName(name: string): void {
  const taken = TAKEN.includes(name);
  if (NAME.test(name) && !taken) return;
  throw usageError(
    taken ? `the name '${name}' has a meaning of its own for --network` : `'${name}' is no name for a network`,
    {
      code: 'network.name',
      hint: 'up to 128 letters, digits, dots, dashes and underscores, the first a letter or digit',
    },
  );
}

/** By name. */
export async function listNetworks(root: string): Promise<Conflist[]> {
  const found: Conflist[] = [];
  for (const file of await networkFiles(root)) {
    const network = await readNetwork(file);
    if (network !== undefined) found.push(network);
  }
  return found;
}

/** @returns undefined where there is none of that name. */
export async function networkNamed(root: string, name: string): Promise<Conflist | undefined> {
  if (!NAME.test(name)) return undefined;
  const own = await readNetwork(networkFile(root, name));
  // A file of that name keeps the name taken, whatever it says of itself.
  return own?.name === name ? own : ((await foreignNamed(root, name))?.network ?? own);
}

/** One that lies in a file of another name. Damaged files name nothing. */
async function foreignNamed(root: string, name: string): Promise<{ file: string; network: Conflist } | undefined> {
  for (const file of await networkFiles(root)) {
    const network = await readNetwork(file).catch((error: unknown) => {
      if (error instanceof P2cError) return undefined;
      throw error;
    });
    if (network?.name === name) return { file, network };
  }
  return undefined;
}

async function networkFiles(root: string): Promise<string[]> {
  const folder = networksFolder(root);
  const files = (await namesIn(folder)).filter(
    (file) => file.endsWith(ENDING) && NAME.test(file.slice(0, -ENDING.length)),
  );
  return files.sort().map((file) => join(folder, file));
}

/** By name, or by the beginning of one ID. @throws P2cError `network.unknown`, `network.ambiguous` (usage). */
export async function findNetwork(root: string, word: string): Promise<Conflist> {
  const named = await networkNamed(root, word);
  if (named !== undefined) return named;
  const all = await listNetworks(root);
  const found = /^[0-9a-f]{3,64}$/.test(word) ? all.filter(({ name }) => networkId(name).startsWith(word)) : [];
  if (found.length > 1) {
    throw usageError(`'${word}' is the beginning of ${found.length} networks' IDs`, {
      code: 'network.ambiguous',
      hint: "give more digits, or the name: 'p2c network ls' lists both",
    });
  }
  if (found[0] !== undefined) return found[0];
  const names = all.map(({ name }) => name);
  throw usageError(`there is no network '${word}'`, {
    code: 'network.unknown',
    hint:
      names.length === 0
        ? `p2c network create ${word}`
        : `there are: ${names.slice(0, 20).join(', ')}; 'p2c network create' makes one`,
  });
}

/** The same name has the same ID at all times. */
export function networkId(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

/** @throws P2cError `network.name-in-use` (usage). */
export async function refuseTakenNetworkName(root: string, name: string): Promise<void> {
  if ((await networkNamed(root, name)) === undefined) return;
  throw usageError(`there is a network '${name}' already`, {
    code: 'network.name-in-use',
    hint: `'p2c network rm ${name}' removes it`,
  });
}

/** Under the networks' lock, so that two do not take the same addresses. The name is free. */
export async function writeNetwork(root: string, network: Conflist): Promise<void> {
  const folder = networksFolder(root);
  await makeFolder(folder, 0o755);
  await replaceFile(networkFile(root, network.name), `${JSON.stringify(network, undefined, 2)}\n`, folder);
}

export async function deleteNetwork(root: string, name: string): Promise<void> {
  const own = networkFile(root, name);
  const isOwn = (await readNetwork(own))?.name === name;
  const file = isOwn ? own : (await foreignNamed(root, name))?.file;
  if (file !== undefined) await rm(file, { force: true });
}

function networksFolder(root: string): string {
  return join(root, 'networks');
}

function networkFile(root: string, name: string): string {
  return join(networksFolder(root), `${name}${ENDING}`);
}

async function readNetwork(file: string): Promise<Conflist | undefined> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return conflistSchema.parse(JSON.parse(text));
  } catch (cause) {
    throw new P2cError(`${file} is no CNI network configuration list: ${messageOf(cause)}`, {
      code: 'network.damaged',
      hint: 'mend it, or remove the file',
      cause,
    });
  }
}
