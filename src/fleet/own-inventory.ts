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
import { z } from 'zod';
import { usageError } from '../errors.ts';
import { matchesGlob } from '../glob.ts';
import { strictObject } from '../profiles/mistakes.ts';
import { suggestion } from '../profiles/nearest.ts';
import { readYamlFile } from '../profiles/yaml-file.ts';
import { addressSchema, hostName } from './fields.ts';
import { type FleetHost, type HostConnection, type Inventory, UNGROUPED } from './host.ts';
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
  });

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
  .transform((hosts) => Object.entries(hosts).map(([name, host]): HostRecord => ({ name, ...host })));

const inventorySchema = strictObject({
  defaults: defaultsSchema.prefault({}),
  groups: z.record(hostName, groupSchema).default({}),
  hosts: z.union([hostList, hostMap]),
});

type HostRecord = z.output<typeof listedHost>;
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
  const content = readYamlFile(file, inventorySchema, { noun: 'inventory', code: 'inventory.invalid' });
  const groups = groupsOf(content, file);
  const folder = dirname(resolve(file));
  const settled = content.hosts.map((host) => {
    const own = [...groups].filter(([, names]) => names.includes(host.name)).map(([name]) => name);
    const levels = [content.defaults, ...own.flatMap((name) => content.groups[name] ?? []), host];
    return { host, own, settings: merged(levels) };
  });
  settled.sort((a, b) => (a.settings.order ?? 0) - (b.settings.order ?? 0));
  const hosts = settled.map(({ host, own, settings }) => {
    const after = (words: readonly string[]): string[] => namesOf(words, content, groups, file, host.name);
    return fill(host, settings, own, { folder, today, after });
  });
  const listed = [...groups].map(([name, members]) => ({ name, hosts: members, own: members, children: [] }));
  return { file, kind: 'p2c', hosts, groups: listed, tops: [UNGROUPED, ...groups.keys()], notes: [] };
}

/** Members by the group's own list, which may have patterns, and by what hosts say. */
function groupsOf({ groups, hosts }: Content, file: string): Map<string, string[]> {
  const members = new Map<string, string[]>();
  for (const [name, { hosts: words }] of Object.entries(groups)) {
    for (const word of words) {
      if (hosts.some((host) => matchesGlob(host.name, word))) continue;
      const known = suggestion(
        word,
        hosts.map((host) => host.name),
      );
      throw unknown(`${file}: the group '${name}' has the host '${word}', and there is none of that name${known}`);
    }
    members.set(
      name,
      hosts.filter((host) => words.some((word) => matchesGlob(host.name, word))).map((host) => host.name),
    );
  }
  for (const host of hosts) {
    for (const group of host.groups ?? []) {
      const names = members.get(group) ?? [];
      if (!names.includes(host.name)) names.push(host.name);
      members.set(group, names);
    }
  }
  return members;
}

function unknown(message: string): Error {
  return usageError(message, { code: 'inventory.unknown-host' });
}

/** The hosts that a list of hosts and groups means, the one itself left out. */
function namesOf(
  words: readonly string[],
  { hosts }: Content,
  groups: ReadonlyMap<string, readonly string[]>,
  file: string,
  self: string,
): string[] {
  const all = words.flatMap((word) => {
    const members = groups.get(word) ?? hosts.filter((host) => host.name === word).map((host) => host.name);
    if (members.length > 0) return members;
    const known = suggestion(word, [...hosts.map((host) => host.name), ...groups.keys()]);
    throw unknown(`${file}: '${self}' comes after '${word}', and there is no host or group of that name${known}`);
  });
  return [...new Set(all)].filter((name) => name !== self);
}

interface Surroundings {
  readonly folder: string;
  readonly today: Date;
  after(words: readonly string[]): string[];
}

function fill(
  host: HostRecord,
  settings: HostSettings,
  groups: string[],
  { folder, today, after }: Surroundings,
): FleetHost {
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
    jump,
    after: after(settings.after ?? []),
    ...captureOf(host.name, settings, folder, today),
  };
}
