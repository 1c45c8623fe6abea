/** What an inventory may say of a host: in p2c's own file by these names, in an Ansible inventory as variables `p2c_NAME`. */
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { resolve } from 'node:path';
import * as z from 'zod';
import { runLabels } from '../oci/run-labels.ts';
import { isProfileFile } from '../profiles/load.ts';
import { strictObject } from '../profiles/mistakes.ts';
import { sizeSchema } from '../profiles/scalars.ts';
import { BECOME_METHODS } from '../ssh/become.ts';
import { parseJumps } from '../ssh/target.ts';
import { hostName, identitySchema, patternSchema, portSchema, tagSchema, userSchema } from './fields.ts';
import type { FleetHost } from './host.ts';
import { opensAt, parseWindow } from './window.ts';

export function listOf<Schema extends z.ZodType>(item: Schema) {
  return z
    .union([z.array(item), item])
    .transform((value): z.output<Schema>[] => (Array.isArray(value) ? value : [value]));
}

const profileName = z.string().min(1).max(4096);

const jumpSchema = z
  .string()
  .refine((text) => isJump(text), { error: "is no jump host: write 'user@host:port', with commas between several" });

function isJump(text: string): boolean {
  try {
    parseJumps(text);
    return true;
  } catch {
    return false;
  }
}

const windowSchema = z.string().refine((text) => parseWindow(text) !== undefined, {
  error: "is no window: write 'Sat 22:00-04:00', 'daily 01:00-05:00' or '2026-11-28 22:00 - 2026-11-29 04:00'",
});

const volumeSchema = z
  .string()
  .regex(/^\/./, "must begin with '/'")
  .refine((path) => !path.split('/').includes('..'), { error: "must not contain '..'" });

const networkSchema = strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/, 'is not the name of a network')
    .optional(),
  ip: z
    .string()
    .refine((text) => isIP(text) === 4, { error: 'is no IPv4 address' })
    .optional(),
});

const limitsSchema = strictObject({
  memory: sizeSchema.optional(),
  shm: sizeSchema.optional(),
  cpus: z.number().positive().max(4096).optional(),
  pids: z.int().min(1).optional(),
});

/** What decides about a capture: everything but the way to the host. */
export const captureSettings = {
  profile: listOf(profileName).optional(),
  profiles: listOf(profileName).optional(),
  tag: tagSchema.optional(),
  exclude: listOf(patternSchema).optional(),
  include: listOf(patternSchema).optional(),
  volumes: listOf(volumeSchema).optional(),
  network: networkSchema.optional(),
  limits: limitsSchema.optional(),
  /** Hosts or groups that are to be done before. */
  after: listOf(hostName).optional(),
  /** Lower ones are begun first. */
  order: z.int().min(-1_000_000).max(1_000_000).optional(),
  window: listOf(windowSchema).optional(),
};

export const hostSettings = {
  user: userSchema.optional(),
  port: portSchema.optional(),
  identity: listOf(identitySchema).optional(),
  jump: jumpSchema.optional(),
  become: z.enum(BECOME_METHODS).optional(),
  ...captureSettings,
};

const captureObject = z.object(captureSettings);
export type CaptureSettings = z.output<typeof captureObject>;
const hostObject = z.object(hostSettings);
export type HostSettings = z.output<typeof hostObject>;

/** Profiles are named by one of two keys: the narrower of two settings decides, whichever it uses. */
export const bothProfiles = { error: "has both 'profile' and 'profiles'", path: ['profiles'] };
export const notBoth = (value: { profile?: unknown; profiles?: unknown } | null): boolean =>
  value?.profile === undefined || value.profiles === undefined;

/** Later settings before earlier ones; lists of rules add up. */
export function merged(levels: readonly HostSettings[]): HostSettings {
  return levels.reduce((sum, level) => over(sum, level), {});
}

function over(sum: HostSettings, level: HostSettings): HostSettings {
  return {
    user: level.user ?? sum.user,
    port: level.port ?? sum.port,
    identity: level.identity ?? sum.identity,
    jump: level.jump ?? sum.jump,
    become: level.become ?? sum.become,
    profiles: level.profiles ?? level.profile ?? sum.profiles,
    tag: level.tag ?? sum.tag,
    exclude: [...(sum.exclude ?? []), ...(level.exclude ?? [])],
    include: [...(sum.include ?? []), ...(level.include ?? [])],
    volumes: level.volumes ?? sum.volumes,
    network: level.network === undefined ? sum.network : { ...sum.network, ...level.network },
    limits: level.limits === undefined ? sum.limits : { ...sum.limits, ...level.limits },
    after: level.after ?? sum.after,
    order: level.order ?? sum.order,
    window: level.window ?? sum.window,
  };
}

/** @param folder paths in an inventory are meant from where it lies. */
export function captureOf(
  name: string,
  settings: CaptureSettings,
  folder: string,
  today: Date,
): Pick<FleetHost, 'profiles' | 'tag' | 'exclude' | 'include' | 'volumes' | 'labels' | 'opens'> {
  const { tag, exclude = [], include = [], volumes = [], window = [] } = settings;
  const profiles = settings.profiles ?? settings.profile ?? [];
  return {
    profiles: profiles.map((profile) => (isProfileFile(profile) ? localPath(profile, folder) : profile)),
    tag: tag === undefined ? undefined : expandTag(tag, name, today),
    exclude,
    include,
    volumes,
    labels: labelsOf(settings),
    opens: opensAt(window.flatMap((text) => parseWindow(text) ?? [])),
  };
}

function labelsOf({ network, limits }: CaptureSettings): Record<string, string> {
  return runLabels({
    network: network?.name,
    ip: network?.ip,
    memory: limits?.memory,
    shmSize: limits?.shm,
    cpus: limits?.cpus,
    pidsLimit: limits?.pids,
  });
}

/** `~/` is the user's home. */
export function localPath(path: string, folder: string): string {
  return path.startsWith('~/') ? resolve(homedir(), path.slice(2)) : resolve(folder, path);
}

/** `{{host}}` as an image reference can hold it (small letters, digits, `.`, `_`, `-`); `{{date}}` as 2026-11-23. */
export function expandTag(template: string, name: string, today: Date): string {
  const host = name.toLowerCase().replace(/[^a-z0-9]+/g, (run) => (/^(?:[._]|__|-+)$/.test(run) ? run : '-'));
  const month = String(today.getMonth() + 1).padStart(2, '0');
  const date = `${today.getFullYear()}-${month}-${String(today.getDate()).padStart(2, '0')}`;
  return template.replace(/\{\{\s*(host|date)\s*\}\}/g, (_, word) =>
    word === 'host' ? host.replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '') : date,
  );
}
