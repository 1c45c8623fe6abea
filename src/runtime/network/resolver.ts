/** A container's resolv.conf(5). */
import { readFile } from 'node:fs/promises';
import type { NetworkRequest } from './request.ts';

/** systemd-resolved(8): the servers that it asks itself, where /etc/resolv.conf names only its own stub. */
const BEHIND_STUB = '/run/systemd/resolve/resolv.conf';

/**
 * @param reaches whether the container's networks lead anywhere: where they do not, a lookup fails at once and not after
 *   half a minute.
 */
export async function resolverText(request: NetworkRequest, reaches: boolean): Promise<string> {
  const machine = await machineResolver();
  if (request.mode === 'host' && request.dns.length === 0 && request.search.length === 0) {
    return readText('/etc/resolv.conf');
  }
  return resolverOf(machine, request, reaches);
}

/** @param machine the text of the machine's own. */
export function resolverOf(machine: string, { dns, search, mode }: NetworkRequest, reaches: boolean): string {
  const own = reaches ? linesOf(machine) : [];
  // The machine's loopback is not the container's.
  const servers = own.filter(([word, value = '']) => word === 'nameserver' && (mode === 'host' || !isLoopback(value)));
  const domains = own.filter(([word]) => word === 'search' || word === 'domain').at(-1) ?? [];
  const options = own.filter(([word]) => word === 'options');
  const wanted = search.length > 0 ? ['search', ...search.filter((domain) => domain !== '.')] : domains;
  return [
    ...(wanted.length > 1 ? [wanted] : []),
    ...(dns.length > 0 ? dns.map((server) => ['nameserver', server]) : servers),
    ...options,
  ]
    .map((words) => `${words.join(' ')}\n`)
    .join('');
}

async function machineResolver(): Promise<string> {
  const text = await readText('/etc/resolv.conf');
  const servers = linesOf(text).filter(([word]) => word === 'nameserver');
  if (servers.length === 0 || !servers.every(([, value = '']) => isLoopback(value))) return text;
  const behind = await readText(BEHIND_STUB);
  return behind === '' ? text : behind;
}

function linesOf(text: string): string[][] {
  return text
    .split('\n')
    .map((line) =>
      line
        .replace(/[#;].*/, '')
        .trim()
        .split(/\s+/),
    )
    .filter(([word]) => word !== '');
}

function isLoopback(address: string): boolean {
  return address.startsWith('127.') || address === '::1';
}

async function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
