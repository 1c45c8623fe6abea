/** Which profiles apply, and in which order their applications are stopped; they are started in the reverse of it. */
import { isDeepStrictEqual } from 'node:util';
import { P2cError, usageError } from '../errors.ts';
import { loadProfile } from './load.ts';
import type { Profile } from './schema.ts';

/** In place of a profile's name: none applies, and none is looked for. */
const NO_PROFILE = 'none';

/**
 * Loads profiles, and those that they require, and puts them in the order of the stop.
 * @throws P2cError `profile.*`, all mistakes of a file at once; `profile.cycle`.
 */
export function selectProfiles(names: readonly string[]): Profile[] {
  const distinct = [...new Set(names)];
  if (!distinct.includes(NO_PROFILE)) return inStopOrder(withRequired(distinct.map((name) => loadProfile(name))));
  if (distinct.length === 1) return [];
  throw usageError(`the profile '${NO_PROFILE}' goes with no other`, { code: 'usage', hint: 'leave one of them out' });
}

/**
 * The profiles with all that they require: another of those given, or a shipped one.
 * @throws P2cError `profile.unknown`.
 */
export function withRequired(given: readonly Profile[]): Profile[] {
  const known = new Map<string, Profile>();
  for (const profile of given) {
    const other = known.get(profile.name);
    if (other !== undefined && !isDeepStrictEqual(other, profile)) {
      throw usageError(`two different profiles are named '${profile.name}'`, { code: 'profile.name' });
    }
    known.set(profile.name, profile);
  }
  const waiting = [...known.values()];
  for (let profile = waiting.shift(); profile !== undefined; profile = waiting.shift()) {
    for (const name of profile.requires.filter((required) => !known.has(required))) {
      const required = loadRequired(name, profile.name);
      known.set(name, required);
      waiting.push(required);
    }
  }
  return [...known.values()];
}

function loadRequired(name: string, by: string): Profile {
  try {
    return loadProfile(name);
  } catch (cause) {
    if (!(cause instanceof P2cError)) throw cause;
    throw usageError(`the profile '${by}' requires '${name}', and ${cause.message}`, {
      code: cause.code,
      hint: `give it as well: --profile ${name}.yaml`,
    });
  }
}

/**
 * As given, but each before those that it requires or comes after.
 * @throws P2cError `profile.cycle`.
 */
export function inStopOrder(profiles: readonly Profile[]): Profile[] {
  const waiting = [...profiles];
  const ordered: Profile[] = [];
  while (waiting.length > 0) {
    const next = waiting.findIndex(({ name }) => !waiting.some((other) => comesAfter(other).includes(name)));
    const [profile] = next < 0 ? [] : waiting.splice(next, 1);
    if (profile === undefined) throw circle(waiting);
    ordered.push(profile);
  }
  return ordered;
}

function comesAfter({ requires, after }: Profile): string[] {
  return [...requires, ...after];
}

/** Each that waits is needed by another that waits: going from one to the next that needs it comes round. */
function circle(waiting: readonly Profile[]): P2cError {
  const way: string[] = [];
  let profile = waiting[0];
  while (profile !== undefined && !way.includes(profile.name)) {
    const { name } = profile;
    way.unshift(name);
    profile = waiting.find((other) => comesAfter(other).includes(name));
  }
  const last = profile?.name ?? '';
  const round = [...way.slice(0, way.indexOf(last) + 1)];
  return usageError(`profiles that wait for each other: ${[last, ...round].join(' after ')}`, {
    code: 'profile.cycle',
    hint: "take one 'requires' or 'after' away",
  });
}
