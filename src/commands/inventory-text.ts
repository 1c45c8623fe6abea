/** What an inventory holds, for people: a table of hosts, and the tree of groups as ansible-inventory --graph draws it. */
import type { FleetHost, Inventory } from '../fleet/host.ts';
import { printable } from '../printable.ts';
import { table } from '../report/table.ts';

export interface ListedHost {
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  readonly jump: string | null;
  readonly become: string | null;
  readonly groups: readonly string[];
  readonly profiles: readonly string[];
  readonly tag: string | null;
  readonly after: readonly string[];
  /** Why it cannot be used. */
  readonly mistake: string | null;
}

export function listedHost(host: FleetHost): ListedHost {
  const { name, target, connection, groups, profiles, tag, after, mistake } = host;
  return {
    name,
    address: target.host,
    port: target.port,
    user: target.user,
    jump: connection.jump ?? null,
    become: connection.become ?? null,
    groups,
    profiles,
    tag: tag ?? null,
    after,
    mistake: mistake?.message ?? null,
  };
}

export function describeHosts(hosts: readonly FleetHost[], width: number): string {
  const rows = hosts
    .map(listedHost)
    .map((host) => [
      host.name,
      host.mistake === null ? reachedAs(host) : 'not usable',
      host.jump ?? '-',
      host.groups.join(',') || '-',
      host.profiles.join(',') || '-',
      host.tag ?? '-',
    ]);
  const shown = rows.map((row) => row.map((cell) => printable(cell)));
  return table(shown, ['HOST', 'REACHED AS', 'OVER', 'GROUPS', 'PROFILES', 'TAG'], width);
}

function reachedAs({ user, address, port }: ListedHost): string {
  return `${user}@${address.includes(':') ? `[${address}]` : address}${port === 22 ? '' : `:${port}`}`;
}

/** In the order of the files, each group with the groups and hosts in it. */
export function describeGraph({ groups, tops, hosts }: Inventory): string {
  const byName = new Map(groups.map((group) => [group.name, group]));
  const ungrouped = hosts.filter((host) => host.groups.length === 0).map(({ name }) => name);
  const unusable = new Set(hosts.flatMap(({ name, mistake }) => (mistake === undefined ? [] : [name])));
  const lines = ['@all:'];
  const draw = (name: string, depth: number): void => {
    const { children = [], own = ungrouped } = byName.get(name) ?? {};
    lines.push(`${'  |'.repeat(depth)}--@${printable(name)}:`);
    for (const child of children) draw(child, depth + 1);
    for (const host of own) {
      lines.push(`${'  |'.repeat(depth + 1)}--${printable(host)}${unusable.has(host) ? ' (not usable)' : ''}`);
    }
  };
  for (const name of tops) draw(name, 1);
  return lines.join('\n');
}
