/** Groups and hosts as Ansible sees them, from whichever files they come, and what the variables of a host are in the end. */
import { usageError } from '../../errors.ts';
import { suggestion } from '../../profiles/nearest.ts';
import { UNGROUPED } from '../host.ts';
import type { AnsibleValue, Variables } from './value.ts';

export interface Group {
  readonly name: string;
  /** Of its own; in the order in which they were named. */
  readonly hosts: Set<string>;
  readonly children: Set<string>;
  readonly variables: Map<string, AnsibleValue>;
}

export interface Host {
  readonly name: string;
  readonly variables: Map<string, AnsibleValue>;
}

/** Variables of files beside the inventory, by the name of the group or host. */
export interface VariablesOfFiles {
  readonly groups: ReadonlyMap<string, Variables>;
  readonly hosts: ReadonlyMap<string, Variables>;
}

export const ALL = 'all';
const MOST_GROUPS = 10_000;

/** What is read from all groups at once, and holds until one of them changes. */
interface Shape {
  readonly holders: ReadonlyMap<string, readonly string[]>;
  readonly parents: ReadonlyMap<string, readonly string[]>;
  readonly depths: ReadonlyMap<string, number>;
}

export class Tree {
  readonly groups = new Map<string, Group>();
  readonly hosts = new Map<string, Host>();
  /** Of each host, by its name; forgotten with every group that comes to hold more. */
  readonly #ancestors = new Map<string, readonly string[]>();
  #shape: Shape | undefined;

  constructor() {
    this.group(ALL).children.add(UNGROUPED);
    this.group(UNGROUPED);
  }

  /** The group of that name, made where there is none. */
  group(name: string): Group {
    const known = this.groups.get(name);
    if (known !== undefined) return known;
    if (this.groups.size >= MOST_GROUPS) {
      throw usageError(`the inventory has more than ${MOST_GROUPS} groups`, { code: 'inventory.invalid' });
    }
    const group: Group = { name, hosts: new Set(), children: new Set(), variables: new Map() };
    this.groups.set(name, group);
    this.#forget();
    return group;
  }

  /** The host of that name in the group; made where there is none. */
  host(name: string, group: string): Host {
    const host = this.hosts.get(name) ?? { name, variables: new Map() };
    this.hosts.set(name, host);
    this.group(group).hosts.add(name);
    this.#forget();
    return host;
  }

  /** @throws P2cError `inventory.invalid` where a group would be in itself. */
  addChild(parent: string, child: string): void {
    // It holds every group, also those that nobody puts into it.
    if (child === ALL) {
      throw usageError(`the group '${ALL}' cannot be in '${parent}', for every group is in '${ALL}'`, {
        code: 'inventory.invalid',
        hint: `take '${ALL}' out of '${parent}'`,
      });
    }
    const known = this.group(parent);
    this.group(child);
    if (parent === child || this.#below(child).has(parent)) {
      throw usageError(`the group '${child}' cannot be in '${parent}', which is in '${child}'`, {
        code: 'inventory.invalid',
        hint: 'take one of the two out of the other',
      });
    }
    known.children.add(child);
    this.#forget();
  }

  /** To be called once all files are read: every host and group is below `all`. */
  complete(): void {
    const inside = new Set([...this.groups.values()].flatMap(({ children }) => [...children]));
    const all = this.group(ALL);
    for (const name of this.groups.keys()) if (name !== ALL && !inside.has(name)) all.children.add(name);
    const ungrouped = this.group(UNGROUPED);
    const grouped = new Set(
      [...this.groups.values()]
        .filter((group) => group !== all && group !== ungrouped)
        .flatMap((group) => [...group.hosts]),
    );
    for (const name of this.hosts.keys()) {
      if (grouped.has(name)) ungrouped.hosts.delete(name);
      else ungrouped.hosts.add(name);
    }
    this.#forget();
  }

  /** Hosts of a group and of all below it, in the order of the files; the group's own first. */
  hostsOf(name: string): string[] {
    if (name === ALL) return [...this.hosts.keys()];
    const hosts = [name, ...this.#below(name)].flatMap((group) => [...(this.groups.get(group)?.hosts ?? [])]);
    return [...new Set(hosts)];
  }

  /** The groups that a host is in, `all` and `ungrouped` left out. */
  groupsOf(host: string): string[] {
    return this.#ancestorsOf(host).filter((name) => name !== ALL && name !== UNGROUPED);
  }

  /**
   * Ansible's precedence: `all` before other groups, parents before children, names in their order (or by
   * `ansible_group_priority`), the inventory's own before those of files beside it, and hosts last.
   */
  variablesOf(host: string, files: VariablesOfFiles): Map<string, AnsibleValue> {
    const groups = this.#ancestorsOf(host);
    const others = groups.filter((name) => name !== ALL);
    const own = (name: string): Variables => this.groups.get(name)?.variables ?? new Map();
    const filed = (name: string): Variables => files.groups.get(name) ?? new Map();
    return new Map([
      ...own(ALL),
      ...others.flatMap((name) => [...own(name)]),
      ...filed(ALL),
      ...others.flatMap((name) => [...filed(name)]),
      ...(this.hosts.get(host)?.variables ?? []),
      ...(files.hosts.get(host) ?? []),
    ]);
  }

  /** Where a variable of a host has its value from, in words: the narrowest place that gives it one. */
  sourceOf(host: string, variable: string, files: VariablesOfFiles): string | undefined {
    const groups = [...this.#ancestorsOf(host)].reverse();
    const filed = groups.find((name) => files.groups.get(name)?.has(variable) === true);
    const own = groups.find((name) => this.groups.get(name)?.variables.has(variable) === true);
    if (files.hosts.get(host)?.has(variable) === true) return `host_vars of ${host}`;
    if (this.hosts.get(host)?.variables.has(variable) === true) return `the host ${host}`;
    if (filed !== undefined) return `group_vars of ${filed}`;
    return own === undefined ? undefined : `the variables of the group ${own}`;
  }

  /** @throws P2cError `inventory.unknown-group`. */
  requireGroup(name: string): void {
    if (this.groups.has(name)) return;
    throw usageError(`the inventory has no group '${name}'${suggestion(name, [...this.groups.keys()])}`, {
      code: 'inventory.unknown-group',
    });
  }

  #forget(): void {
    this.#shape = undefined;
    this.#ancestors.clear();
  }

  /** Groups that hold the host, by depth, priority and name. */
  #ancestorsOf(host: string): readonly string[] {
    const known = this.#ancestors.get(host);
    if (known !== undefined) return known;
    this.#shape ??= { holders: this.#holders(), parents: this.#parents(), depths: this.#depths() };
    const { holders, parents, depths } = this.#shape;
    const holding = new Set([ALL, ...(holders.get(host) ?? [])]);
    for (const name of holding) for (const parent of parents.get(name) ?? []) holding.add(parent);
    const priority = (name: string): number =>
      Number(this.groups.get(name)?.variables.get('ansible_group_priority') ?? 1);
    const ordered = [...holding].sort(
      (a, b) =>
        (depths.get(a) ?? 0) - (depths.get(b) ?? 0) || priority(a) - priority(b) || (a < b ? -1 : a > b ? 1 : 0),
    );
    this.#ancestors.set(host, ordered);
    return ordered;
  }

  /** Groups that name a host themselves. */
  #holders(): Map<string, string[]> {
    return namedBy([...this.groups.values()].map(({ name, hosts }) => [name, hosts]));
  }

  #parents(): Map<string, string[]> {
    return namedBy([...this.groups.values()].map(({ name, children }) => [name, children]));
  }

  /** Of each group, the longest way down to it from `all`. */
  #depths(): Map<string, number> {
    const depths = new Map([[ALL, 0]]);
    let level = [ALL];
    for (let depth = 1; level.length > 0; depth += 1) {
      level = [...new Set(level.flatMap((name) => [...(this.groups.get(name)?.children ?? [])]))];
      for (const name of level) depths.set(name, depth);
    }
    return depths;
  }

  #below(name: string): Set<string> {
    const found = new Set(this.groups.get(name)?.children ?? []);
    for (const child of found) for (const next of this.groups.get(child)?.children ?? []) found.add(next);
    return found;
  }
}

/** The other way round: by what is named, those that name it. */
function namedBy(groups: readonly (readonly [name: string, named: Iterable<string>])[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [name, named] of groups) {
    for (const each of named) {
      const known = found.get(each);
      if (known === undefined) found.set(each, [name]);
      else known.push(name);
    }
  }
  return found;
}
