/**
 * p2c's own inventory file: which servers, how to reach each, what to make of it.
 *
 *     defaults: { user: root, profile: nginx, tag: 'legacy/{{host}}:{{date}}' }
 *     groups:
 *       shop: { hosts: [web1, db1], window: 'Sat 22:00-04:00' }
 *     hosts:
 *       db1: { address: 10.0.0.11, profile: postgresql }
 *       web1: { address: 10.0.0.12, port: 2222, after: db1 }
 */
import { userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import * as z from 'zod';
import { matchesGlob } from '../glob.ts';
import { type Mistake, mistakeAt, strictObject } from '../profiles/mistakes.ts';
import { suggestion } from '../profiles/nearest.ts';
import { readPlacedYaml } from '../profiles/yaml-file.ts';
import { parseJumps } from '../ssh/target.ts';
import { addressSchema, hostName } from './fields.ts';
import { type FleetHost, type HostConnection, type Inventory, type Setting, UNGROUPED } from './host.ts';
import {
  bothProfiles,
  captureOf,
  type HostSettings,
  hostSettings,
  listOf,
  localPath,
  merged,
  notBoth,
} from './settings.ts';

const defaultsSchema = strictObject(hostSettings).refine(notBoth, bothProfiles);
const groupSchema = strictObject({ hosts: listOf(z.string().min(1).max(253)), ...hostSettings }).refine(
  notBoth,
  bothProfiles,
);
const hostFields = { address: addressSchema.optional(), groups: listOf(hostName).optional(), ...hostSettings };
const listedHost = strictObject({ name: hostName, ...hostFields }).refine(notBoth, bothProfiles);
/** A host of a map may be empty: its name is then its address. */
const mappedHost = strictObject(hostFields).nullable().refine(notBoth, bothProfiles);

const noAddress = "has no 'address', and its name is none";
const reachable = (name: string, address: string | undefined): boolean =>
  address !== undefined || addressSchema.safeParse(name).success;

const hostList = z
  .array(listedHost.refine((host) => reachable(host.name, host.address), { error: noAddress, path: ['name'] }))
  .min(1)
  .check((context) => {
    const seen = new Map<string, number>();
    for (const [index, { name }] of context.value.entries()) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, index);
      else {
        const message = `'${name}' is the name of hosts[${first}] too`;
        context.issues.push({ code: 'custom', path: [index, 'name'], message, input: name });
      }
    }
  })
  .transform((hosts) => hosts.map((host, at): HostRecord => ({ ...host, at })));

const hostMap = z
  .record(hostName, mappedHost)
  .check((context) => {
    const hosts = Object.entries(context.value);
    if (hosts.length === 0) context.issues.push({ code: 'custom', message: 'is empty', input: context.value });
    for (const [name, host] of hosts) {
      if (reachable(name, host?.address)) continue;
      context.issues.push({ code: 'custom', path: [name], message: noAddress, input: name });
    }
  })
  .transform((hosts) => Object.entries(hosts).map(([name, host]): HostRecord => ({ name, at: name, ...host })));

const inventorySchema = strictObject({
  defaults: defaultsSchema.prefault({}),
  groups: z.record(hostName, groupSchema).default({}),
  hosts: z.union([hostList, hostMap]),
});

/** `at` is its key or its number among the hosts of the file. */
type HostRecord = z.output<typeof listedHost> & { readonly at: string | number };
type Content = z.output<typeof inventorySchema>;

/** The text of `schemas/inventory.schema.json`: what a file may hold, before quantities are parsed. */
export function inventoryJsonSchema(): string {
  const schema = z.toJSONSchema(inventorySchema, { io: 'input' });
  return `${JSON.stringify({ title: 'p2c inventory', ...schema }, null, 2)}\n`;
}

/**
 * @param today fills `{{date}}` in tags.
 * @throws P2cError `inventory.missing`, `inventory.unreadable`, or `inventory.invalid` with every mistake as
 * `file:line:column: what`.
 */
export function loadOwn(file: string, today: Date): Inventory {
  const read = readPlacedYaml(file, inventorySchema, { noun: 'inventory', code: 'inventory.invalid' });
  const { content } = read;
  const mistakes: Mistake[] = [];
  const notes: string[] = [];
  const groups = groupsOf(content, mistakes, (path, what) => notes.push(`${read.place(path)}: ${what}`));
  const folder = dirname(resolve(file));
  const settled = content.hosts.map((host) => {
    const own = [...groups].filter(([, names]) => names.includes(host.name)).map(([name]) => name);
    const levels = [content.defaults, ...own.flatMap((name) => content.groups[name] ?? []), host];
    return { host, own, settings: merged(levels) };
  });
  settled.sort((a, b) => (a.settings.order ?? 0) - (b.settings.order ?? 0));
  const hosts = settled.map(({ host, own, settings }) => {
    const said = (setting: Setting): PropertyKey[] => pathOf(content, host, own, setting);
    const after = namesOf(settings.after ?? [], host.name, { content, groups, path: said('after'), mistakes });
    return { ...fill(host, settings, own, { folder, today }), after, place: (what: Setting) => read.place(said(what)) };
  });
  if (mistakes.length > 0) throw read.refuse(distinct(mistakes));
  const listed = [...groups].map(([name, members]) => ({ name, hosts: members, own: members, children: [] }));
  return { file, kind: 'p2c', hosts, groups: listed, tops: [UNGROUPED, ...groups.keys()], notes };
}

/** Where the file says it: of the host itself, of the last of its groups that does, or of the defaults. */
function pathOf(content: Content, host: HostRecord, groups: readonly string[], setting: Setting): PropertyKey[] {
  const keys = setting === 'profiles' ? (['profiles', 'profile'] as const) : setting === 'host' ? [] : [setting];
  const inGroups = [...groups].reverse().map((name) => ({ path: ['groups', name], said: content.groups[name] ?? {} }));
  const levels: readonly { path: PropertyKey[]; said: HostSettings }[] = [
    { path: ['hosts', host.at], said: host },
    ...inGroups,
    { path: ['defaults'], said: content.defaults },
  ];
  for (const { path, said } of levels) {
    const key = keys.find((each) => said[each] !== undefined);
    if (key !== undefined) return [...path, key];
  }
  return ['hosts', host.at];
}

/** What a group says wrongly is said of each of its hosts. */
function distinct(mistakes: readonly Mistake[]): Mistake[] {
  return [...new Map(mistakes.map((mistake) => [mistake.message, mistake])).values()];
}

type Note = (path: PropertyKey[], what: string) => void;

/** Members by the group's own list, which may have patterns, and by what hosts say. */
function groupsOf({ groups, hosts }: Content, mistakes: Mistake[], note: Note): Map<string, string[]> {
  const members = new Map<string, string[]>();
  const names = hosts.map((host) => host.name);
  for (const [name, { hosts: words }] of Object.entries(groups)) {
    for (const [at, word] of words.entries()) {
      if (names.some((host) => matchesGlob(host, word))) continue;
      mistakes.push(mistakeAt(['groups', name, 'hosts', at], `there is no host '${word}'${suggestion(word, names)}`));
    }
    members.set(
      name,
      names.filter((host) => words.some((word) => matchesGlob(host, word))),
    );
  }
  const declared = [...members.keys()];
  for (const host of hosts) {
    for (const [at, group] of (host.groups ?? []).entries()) {
      if (declared.length > 0 && !declared.includes(group)) {
        const near = suggestion(group, declared);
        const what = `the group '${group}' is not declared${near}`;
        const path = ['hosts', host.at, 'groups', at];
        // A slip would take the group's window and its order from the host.
        if (near !== '') mistakes.push(mistakeAt(path, what));
        else note(path, `${what}: it gives the host '${host.name}' no settings`);
      }
      const inside = members.get(group) ?? [];
      if (!inside.includes(host.name)) inside.push(host.name);
      members.set(group, inside);
    }
  }
  return members;
}

interface Naming {
  readonly content: Content;
  readonly groups: ReadonlyMap<string, readonly string[]>;
  /** Where the words stand. */
  readonly path: readonly PropertyKey[];
  readonly mistakes: Mistake[];
}

/** The hosts that a list of hosts and groups means, the one itself left out. */
function namesOf(words: readonly string[], self: string, { content, groups, path, mistakes }: Naming): string[] {
  const hosts = content.hosts.map((host) => host.name);
  const all = words.flatMap((word, at) => {
    const members = groups.get(word) ?? hosts.filter((name) => name === word);
    if (members.length > 0 || groups.has(word)) return members;
    const known = suggestion(word, [...hosts, ...groups.keys()]);
    mistakes.push(mistakeAt([...path, at], `there is no host or group '${word}'${known}`));
    return [];
  });
  return [...new Set(all)].filter((name) => name !== self);
}

interface Surroundings {
  readonly folder: string;
  readonly today: Date;
}

function fill(
  host: HostRecord,
  settings: HostSettings,
  groups: string[],
  { folder, today }: Surroundings,
): Omit<FleetHost, 'after'> {
  const { user, port, identity, jump, become } = settings;
  const connection: HostConnection = {
    ...(identity === undefined ? {} : { identity: identity.map((path) => localPath(path, folder)) }),
    ...(jump === undefined ? {} : { jump }),
    ...(become === undefined ? {} : { become }),
  };
  return {
    name: host.name,
    groups,
    target: {
      user: user ?? userInfo().username,
      host: host.address ?? host.name,
      port: port ?? 22,
      name: host.name,
      assumed: [...(user === undefined ? ['user' as const] : []), ...(port === undefined ? ['port' as const] : [])],
    },
    connection,
    // `none` overrides what a group or ssh_config says, and is nothing that hosts could share.
    jump: jump === undefined || parseJumps(jump).length === 0 ? undefined : jump,
    ...captureOf(host.name, settings, folder, today),
  };
}
