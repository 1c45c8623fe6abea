/**
 * The plain inventory file: which servers, how to reach each, what to make of it.
 *
 *     defaults: { user: root, profile: nginx, tag: 'legacy/{{host}}:{{date}}' }
 *     hosts:
 *       web1: { address: 10.0.0.11 }
 *       web2: { address: 10.0.0.12, port: 2222, tag: 'web:two' }
 */
import { homedir, userInfo } from 'node:os';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { usageError } from '../errors.ts';
import { matchesGlob } from '../glob.ts';
import { isProfileFile } from '../profiles/load.ts';
import { strictObject } from '../profiles/mistakes.ts';
import { suggestion } from '../profiles/nearest.ts';
import { readYamlFile } from '../profiles/yaml-file.ts';
import type { Target } from '../ssh/target.ts';
import { addressSchema, hostName, identitySchema, patternSchema, portSchema, tagSchema, userSchema } from './fields.ts';

/** One server of an inventory, its defaults filled in. */
export interface FleetHost {
  readonly name: string;
  readonly target: Target;
  /** Key files, absolute, where the inventory names any. */
  readonly connection: { readonly identity?: string[] };
  /** Names or absolute paths of profiles. */
  readonly profiles: readonly string[];
  /** With its placeholders filled in. */
  readonly tag: string | undefined;
  readonly exclude: readonly string[];
  readonly include: readonly string[];
}

export interface Inventory {
  readonly file: string;
  readonly hosts: readonly FleetHost[];
}

function listOf<Schema extends z.ZodType>(item: Schema) {
  return z
    .union([z.array(item), item])
    .transform((value): z.output<Schema>[] => (Array.isArray(value) ? value : [value]));
}

const profileName = z.string().min(1).max(4096);

const shared = {
  user: userSchema.optional(),
  port: portSchema.optional(),
  identity: listOf(identitySchema).optional(),
  profile: listOf(profileName).optional(),
  profiles: listOf(profileName).optional(),
  tag: tagSchema.optional(),
  exclude: listOf(patternSchema).optional(),
  include: listOf(patternSchema).optional(),
};

const bothProfiles = { error: "has both 'profile' and 'profiles'", path: ['profiles'] };
const notBoth = (value: { profile?: unknown; profiles?: unknown } | null): boolean =>
  value?.profile === undefined || value.profiles === undefined;

const defaultsSchema = strictObject(shared).refine(notBoth, bothProfiles);
const listedHost = strictObject({ name: hostName, address: addressSchema.optional(), ...shared }).refine(
  notBoth,
  bothProfiles,
);
/** A host of a map may be empty: its name is then its address. */
const mappedHost = strictObject({ address: addressSchema.optional(), ...shared })
  .nullable()
  .refine(notBoth, bothProfiles);

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
  hosts: z.union([hostList, hostMap]),
});

type HostRecord = z.output<typeof listedHost>;
type Defaults = z.output<typeof defaultsSchema>;

/**
 * @param today fills `{{date}}` in tags.
 * @throws P2cError `inventory.missing`, `inventory.unreadable`, or `inventory.invalid` with every mistake as
 * `file:line:column: what`.
 */
export function loadInventory(file: string, today: Date = new Date()): Inventory {
  const { defaults, hosts } = readYamlFile(file, inventorySchema, { noun: 'inventory', code: 'inventory.invalid' });
  const folder = dirname(resolve(file));
  return { file, hosts: hosts.map((host) => fill(host, defaults, folder, today)) };
}

function fill(host: HostRecord, defaults: Defaults, folder: string, today: Date): FleetHost {
  const identity = host.identity ?? defaults.identity;
  const profiles = host.profiles ?? host.profile ?? defaults.profiles ?? defaults.profile ?? [];
  const tag = host.tag ?? defaults.tag;
  return {
    name: host.name,
    target: {
      user: host.user ?? defaults.user ?? userInfo().username,
      host: host.address ?? host.name,
      port: host.port ?? defaults.port ?? 22,
      name: host.name,
      assumed: [
        ...((host.user ?? defaults.user) === undefined ? ['user' as const] : []),
        ...((host.port ?? defaults.port) === undefined ? ['port' as const] : []),
      ],
    },
    connection: identity === undefined ? {} : { identity: identity.map((path) => localPath(path, folder)) },
    profiles: profiles.map((name) => (isProfileFile(name) ? localPath(name, folder) : name)),
    tag: tag === undefined ? undefined : expandTag(tag, host.name, today),
    exclude: [...(defaults.exclude ?? []), ...(host.exclude ?? [])],
    include: [...(defaults.include ?? []), ...(host.include ?? [])],
  };
}

/** Paths in an inventory are meant from where it lies; `~/` is the user's home. */
function localPath(path: string, folder: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(folder, path);
}

/** `{{host}}` as an image reference can hold it (small letters, digits, `.`, `_`, `-`); `{{date}}` as 2026-11-23. */
function expandTag(template: string, name: string, today: Date): string {
  const host = name.toLowerCase().replace(/[^a-z0-9]+/g, (run) => (/^(?:[._]|__|-+)$/.test(run) ? run : '-'));
  const month = String(today.getMonth() + 1).padStart(2, '0');
  const date = `${today.getFullYear()}-${month}-${String(today.getDate()).padStart(2, '0')}`;
  return template.replace(/\{\{\s*(host|date)\s*\}\}/g, (_, word) =>
    word === 'host' ? host.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') : date,
  );
}

/**
 * The hosts that are named, in the inventory's order; all where no name is given. `*` and `?` stand for any characters.
 * @throws P2cError `inventory.unknown-host`.
 */
export function selectHosts(inventory: Inventory, names: readonly string[]): readonly FleetHost[] {
  if (names.length === 0) return inventory.hosts;
  const wanted = new Set<FleetHost>();
  for (const name of names) {
    const found = inventory.hosts.filter((host) => matchesGlob(host.name, name));
    if (found.length === 0) {
      const known = inventory.hosts.map((host) => host.name);
      throw usageError(`${inventory.file} has no host '${name}'${suggestion(name, known)}`, {
        code: 'inventory.unknown-host',
        hint: `its hosts: ${known.slice(0, 20).join(', ')}${known.length > 20 ? ', …' : ''}`,
      });
    }
    for (const host of found) wanted.add(host);
  }
  return inventory.hosts.filter((host) => wanted.has(host));
}
