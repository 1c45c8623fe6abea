/**
 * Containers of a network know each other by name through their hosts files. Each has a part that p2c keeps; the rest is
 * the container's own. The file is shown in the container's /etc as it is, so it is written in place and never replaced.
 */
import { open, readFile } from 'node:fs/promises';
import { hostname as machineName } from 'node:os';
import { join } from 'node:path';
import { systemCode } from '../../errors.ts';
import type { Container } from '../container.ts';
import { listContainers } from '../containers.ts';
import { addressesOf, knownNetworkRecord, type NetworkRecord } from './record.ts';
import type { NetworkRequest } from './request.ts';

const BEGIN = '# Kept by p2c: the containers of its networks';
const END = '# End of what p2c keeps';
/** What a container made larger than this is left as it is. Bytes. */
const LARGEST = 1024 * 1024;

/** A new container's hosts file. On the machine's own network it sees the machine's hosts; else only itself. */
export async function firstHosts(request: NetworkRequest, hostname: string): Promise<string> {
  const added = request.hosts.map((text) => {
    const colon = text.indexOf(':');
    return `${text.slice(colon + 1)}\t${text.slice(0, colon)}\n`;
  });
  if (request.mode === 'host') {
    const machine = await readFile('/etc/hosts', 'utf8').catch(() => '');
    return [machine, ...added, hostname === machineName() ? '' : `127.0.0.1\t${hostname}\n`].join('');
  }
  const own = request.mode === 'none' ? `127.0.0.1\t${hostname}\n` : '';
  return ['127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n', ...added, own].join('');
}

interface Joined {
  readonly container: Container;
  readonly record: NetworkRecord;
}

/** Writes the kept part anew for all containers of these networks. Under the networks' lock. */
export async function updateHosts(root: string, networks: readonly string[]): Promise<void> {
  const containers = await listContainers(root);
  const joined: Joined[] = [];
  for (const container of containers) {
    const record = await knownNetworkRecord(container.folder);
    if (record !== undefined) joined.push({ container, record });
  }
  for (const { container, record } of joined) {
    if (!networksOf(record).some((name) => networks.includes(name))) continue;
    const lines = hostLines(record, joined);
    const sharers = containers.filter(({ definition }) => definition.network.container === container.definition.id);
    for (const { folder } of [container, ...sharers]) await writeKept(join(folder, 'hosts'), lines);
  }
}

function networksOf({ attachments }: NetworkRecord): string[] {
  return attachments.map(({ list }) => list.name);
}

/** Its own lines first: a name that two have is its own there. */
function hostLines(own: NetworkRecord, joined: readonly Joined[]): string[] {
  const networks = networksOf(own);
  const others = joined.map(({ record }) => record).filter((record) => record.namespace !== own.namespace);
  return [own, ...others].flatMap(({ attachments, names }) =>
    attachments
      .filter(({ list }) => networks.includes(list.name))
      .flatMap(addressesOf)
      .map((address) => `${address}\t${names.join(' ')}`),
  );
}

/** The text with its kept part replaced, or added where it has none. */
export function withKept(text: string, lines: readonly string[]): string {
  const begin = text.indexOf(`${BEGIN}\n`);
  const end = begin < 0 ? -1 : text.indexOf(`${END}\n`, begin);
  const [before, after] = end < 0 ? [text, ''] : [text.slice(0, begin), text.slice(end + END.length + 1)];
  const separator = before === '' || before.endsWith('\n') ? '' : '\n';
  return [before, separator, ...[BEGIN, ...lines, END].map((line) => `${line}\n`), after].join('');
}

async function writeKept(path: string, lines: readonly string[]): Promise<void> {
  try {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    if (size > LARGEST) return;
    const before = await file.readFile('latin1');
    const after = Buffer.from(withKept(before, lines), 'latin1');
    if (after.equals(Buffer.from(before, 'latin1'))) return;
    await file.write(after, 0, after.length, 0);
    await file.truncate(after.length);
  } catch (error) {
    // The container was removed meanwhile.
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
