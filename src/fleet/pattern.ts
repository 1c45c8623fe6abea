/**
 * Which hosts of an inventory are meant, in Ansible's words: `web*:!web03:&prod`, `db[0]`, `~web\d+`, `all`
 * (docs.ansible.com, "Patterns: targeting hosts and groups"; ansible, inventory/manager.py).
 */
import { usageError } from '../errors.ts';
import { suggestion } from '../profiles/nearest.ts';
import { type FleetHost, type Inventory, UNGROUPED } from './host.ts';

interface Word {
  readonly sign: '' | '!' | '&';
  readonly text: string;
}

/**
 * In the inventory's order.
 * @param words each a pattern; all of them together, as if commas were between.
 * @throws P2cError `inventory.unknown-host` for a word that means no host; what takes hosts away may be a group without any.
 */
export function selectHosts(inventory: Inventory, words: readonly string[]): readonly FleetHost[] {
  const parsed = words.flatMap(splitPattern).map(parseWord);
  const named = parsed.filter(({ sign }) => sign === '');
  const wanted = new Set(named.length === 0 ? inventory.hosts : named.flatMap((word) => hostsOf(inventory, word)));
  for (const word of parsed.filter(({ sign }) => sign === '&')) {
    const both = new Set(hostsOf(inventory, word));
    for (const host of wanted) if (!both.has(host)) wanted.delete(host);
  }
  for (const word of parsed.filter(({ sign }) => sign === '!')) {
    for (const host of hostsOf(inventory, word)) wanted.delete(host);
  }
  return inventory.hosts.filter((host) => wanted.has(host));
}

/** At commas; where there are none, at colons that are in no bracket. An IPv6 address has colons of its own. */
function splitPattern(pattern: string): string[] {
  const parts = pattern.includes(',')
    ? pattern.split(',')
    : /^[!&]?[0-9a-fA-F]*:[0-9a-fA-F:.]*:[0-9a-fA-F:.]*$/.test(pattern)
      ? [pattern]
      : (pattern.match(/(?:[^\s:[\]]|\[[^\]]*\])+/g) ?? []);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function parseWord(text: string): Word {
  if (text.startsWith('!')) return { sign: '!', text: text.slice(1) };
  return text.startsWith('&') ? { sign: '&', text: text.slice(1) } : { sign: '', text };
}

function hostsOf(inventory: Inventory, { sign, text }: Word): FleetHost[] {
  const { base, from, to } = subscriptOf(text);
  const found = matching(inventory, base);
  const sliced = from === undefined ? found : slice(found, from, to);
  if (sliced.length > 0 || (base === 'all' && from === undefined)) return sliced;
  // A slip in what is to be spared would not spare it: its applications would be stopped.
  if (sign === '!' && from === undefined && isGroup(inventory, base)) return [];
  const known = [...inventory.hosts, ...inventory.groups].map(({ name }) => name);
  throw usageError(`${inventory.file} has no host or group '${text}'${suggestion(base, known)}`, {
    code: 'inventory.unknown-host',
    hint: `'p2c inventory ls -i ${inventory.file}' lists them`,
  });
}

function isGroup({ groups }: Inventory, pattern: string): boolean {
  const matches = matcherOf(pattern);
  return pattern === UNGROUPED || groups.some(({ name }) => matches(name));
}

interface Subscript {
  readonly base: string;
  readonly from?: number;
  /** Included; undefined for the one alone. */
  readonly to?: number | undefined;
}

/** `web[0]`, `web[1:3]` with both ends, which Ansible takes as `web[1-3]` too, `web[2:]`, `web[-1]`; in a regular expression brackets are its own. */
function subscriptOf(text: string): Subscript {
  const [, base, one, from, to] = /^(.+)\[(?:(-?\d+)|(\d+)[:-](\d*))\]$/.exec(text) ?? [];
  if (base === undefined || text.startsWith('~')) return { base: text };
  if (one !== undefined) return { base, from: Number(one) };
  return { base, from: Number(from), to: to === '' || to === undefined ? Number.MAX_SAFE_INTEGER : Number(to) };
}

function slice(hosts: FleetHost[], from: number, to: number | undefined): FleetHost[] {
  if (to !== undefined) return hosts.slice(from, to === Number.MAX_SAFE_INTEGER ? undefined : to + 1);
  const host = hosts.at(from);
  return host === undefined ? [] : [host];
}

/** A group's hosts where groups match; hosts by their names where none does, or the pattern may mean both. */
function matching({ hosts, groups }: Inventory, pattern: string): FleetHost[] {
  if (pattern === 'all' || pattern === '*') return [...hosts];
  const matches = matcherOf(pattern);
  const byName = new Map(hosts.map((host) => [host.name, host]));
  const grouped = groups.filter(({ name }) => matches(name));
  if (pattern === UNGROUPED) return hosts.filter((host) => host.groups.length === 0);
  const members = grouped.flatMap((group) => group.hosts).flatMap((name) => byName.get(name) ?? []);
  const both = grouped.length === 0 || pattern.startsWith('~') || /[.?*[]/.test(pattern);
  return [...new Set([...members, ...(both ? hosts.filter(({ name }) => matches(name)) : [])])];
}

/** `~` begins a regular expression, which the user wrote for the user's own inventory. */
function matcherOf(pattern: string): (name: string) => boolean {
  const source = pattern.startsWith('~') ? `^(?:${pattern.slice(1)})` : `^${globSource(pattern)}$`;
  try {
    const expression = new RegExp(source, 's');
    return (name) => expression.test(name);
  } catch (cause) {
    throw usageError(`'${pattern}' is no pattern`, { code: 'inventory.pattern', cause });
  }
}

/** `*`, `?`, `[abc]`, `[!abc]` (Python's fnmatch). */
function globSource(pattern: string): string {
  return pattern.replace(/\[!?\]?[^\]]*\]|[\s\S]/g, (part) => {
    if (part.length > 1)
      return part.startsWith('[!') ? `[^${quoteClass(part.slice(2, -1))}]` : `[${quoteClass(part.slice(1, -1))}]`;
    if (part === '*') return '.*';
    return part === '?' ? '.' : part.replace(/[\\^$.*+?()[\]{}|]/, '\\$&');
  });
}

function quoteClass(content: string): string {
  return content.replace(/[\\\]^]/g, '\\$&');
}
