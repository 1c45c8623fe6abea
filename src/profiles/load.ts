/** Finds profiles: those that p2c ships by name, the user's own by path. */
import { readdirSync } from 'node:fs';
import * as z from 'zod';
import { usageError } from '../errors.ts';
import { packageFolder } from '../package-folder.ts';
import { nearest } from './nearest.ts';
import { parsedProfile } from './parsed.ts';
import { type Profile, type ProfileRule, profileSchema } from './schema.ts';
import { readYamlFile, type YamlKind } from './yaml-file.ts';

const PROFILE_KIND: YamlKind = {
  noun: 'profile',
  code: 'profile.invalid',
  hint: "'p2c profiles show nginx' prints a profile to go by",
};

const SHIPPED = `${packageFolder()}profiles/`;
/** The rules that hold for every server; no application, so it is not listed. */
const BASE = 'base';

/** The names of the shipped profiles, sorted. */
export function profileNames(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml') && file !== `${BASE}.yaml`)
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort();
}

/** The shipped profiles. */
export function listProfiles(): Profile[] {
  return profileNames().map((name) => readProfile(name));
}

/** Stands in a profile's scripts for the service that its user names: `generic-sysv:shop`. */
const SERVICE = '{{service}}';

/**
 * A name finds a shipped profile, `NAME:SERVICE` one of the generic ones for that service; anything with a slash or that
 * ends in `.yaml` or `.yml` is a file.
 * @throws P2cError `profile.unknown`, `profile.missing`, `profile.service`, or `profile.invalid` with every mistake as
 * `file:line:column: what`.
 */
export function loadProfile(nameOrFile: string): Profile {
  const { profile: name, service } = isProfileFile(nameOrFile)
    ? { profile: nameOrFile, service: undefined }
    : askedService(nameOrFile);
  const profile = readProfile(name);
  const generic = JSON.stringify(profile).includes(SERVICE);
  if (generic && service !== undefined) return forService(profile, service);
  if (!generic && service === undefined) return profile;
  throw usageError(
    generic ? `the profile '${name}' is for a service that you name` : `the profile '${name}' takes no service`,
    { code: 'profile.service', hint: generic ? `write --profile ${name}:SERVICE` : `write --profile ${name}` },
  );
}

/** The parts of `generic-sysv:shop`, as a user writes it and as the profile is then named. */
export function askedService(name: string): { readonly profile: string; readonly service: string | undefined } {
  const [, profile = name, service] = /^([^:]*):(.*)$/s.exec(name) ?? [];
  return { profile, service };
}

function forService(profile: Profile, service: string): Profile {
  // Such a name needs no quoting in the profile's scripts.
  if (!/^[A-Za-z0-9][A-Za-z0-9_.@-]*$/.test(service)) {
    throw usageError(`'${service}' is not the name of a service`, { code: 'profile.service' });
  }
  const file = profileFile(profile.name);
  const schema = z.preprocess((raw) => withService(raw, service), profileSchema);
  return { ...readYamlFile(file, schema, PROFILE_KIND), name: `${profile.name}:${service}` };
}

function withService(value: unknown, service: string): unknown {
  if (typeof value === 'string') return value.replaceAll(SERVICE, service);
  if (Array.isArray(value)) return value.map((item) => withService(item, service));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withService(item, service)]));
}

/** The same for reading: a generic profile as it is, without a service. */
export function readProfile(nameOrFile: string): Profile {
  if (isProfileFile(nameOrFile)) return loadProfileFile(nameOrFile);
  const known = profileNames();
  if (known.includes(nameOrFile)) return loadShipped(nameOrFile);
  const guess = nearest(nameOrFile, known);
  throw usageError(`there is no profile '${nameOrFile}'`, {
    code: 'profile.unknown',
    hint: `${guess === undefined ? '' : `did you mean '${guess}'? `}known: ${known.join(', ')}; a file of your own is given by its path`,
  });
}

export function isProfileFile(nameOrFile: string): boolean {
  return nameOrFile.includes('/') || /\.ya?ml$/.test(nameOrFile);
}

export function loadProfileFile(file: string): Profile {
  return readYamlFile(file, profileSchema, PROFILE_KIND);
}

function loadShipped(name: string): Profile {
  const file = profileFile(name);
  return parsedProfile(file) ?? loadProfileFile(file);
}

/** For the build: all that is shipped, by file, as YAML has it. */
export function shippedProfiles(): Map<string, Profile> {
  const files = [...profileNames(), BASE].map(profileFile);
  return new Map(files.map((file) => [file, loadProfileFile(file)]));
}

/** One exclusion of `profiles/base.yaml`, named as `RuleInput` of src/listing/rules.ts names its parts. */
export interface BaseRule {
  readonly pattern: string;
  readonly reason: string;
  readonly type: ProfileRule['type'];
}

/** The exclusions that hold for every server, each with its reason. */
export function baseRules(): BaseRule[] {
  const rules = loadShipped(BASE).exclude;
  return rules.map(({ path, reason, type }) => ({ pattern: path, reason, type }));
}

/** The path of a profile's file, for `profiles show`. The name must be one that {@link loadProfile} took. */
export function profileFile(nameOrFile: string): string {
  return isProfileFile(nameOrFile) ? nameOrFile : `${SHIPPED}${nameOrFile}.yaml`;
}
