/** What an inventory says of its hosts and can be wrong without going to them, beyond the form of its values. */
import { usageError } from '../errors.ts';
import type { FleetHost } from '../fleet/host.ts';
import { parseReference, type Reference } from '../oci/reference.ts';
import { profilesFrom } from './capture-options.ts';
import type { HostMistakes } from './host-mistakes.ts';

type Profiles = Awaited<ReturnType<typeof profilesFrom>>;

/**
 * The profiles of each host.
 * @param named on the command line: they go before those of the inventory. @throws P2cError `profile.*` for these.
 */
export async function profilesOfHosts(
  hosts: readonly FleetHost[],
  named: readonly string[] | undefined,
  mistakes: HostMistakes,
): Promise<Map<FleetHost, Profiles>> {
  const found = new Map<FleetHost, Profiles>();
  const loaded = new Map<string, Profiles>();
  const load = async (names: readonly string[]): Promise<Profiles> => {
    const key = names.join('\n');
    const profiles = loaded.get(key) ?? (await profilesFrom(names));
    loaded.set(key, profiles);
    return profiles;
  };
  const all = named === undefined ? undefined : await load(named);
  for (const host of hosts) {
    const profiles = all ?? (await mistakes.of(host, 'profiles', () => load(host.profiles)));
    if (profiles !== undefined) found.set(host, profiles);
  }
  return found;
}

/** The names that images of the hosts get, of those that have one; the later of two of one name would take it from the first. */
export async function referencesOf(
  hosts: readonly FleetHost[],
  mistakes: HostMistakes,
): Promise<Map<FleetHost, Reference>> {
  const found = new Map<FleetHost, Reference>();
  const known = new Map<string, string>();
  for (const host of hosts) {
    const { tag } = host;
    if (tag === undefined) continue;
    const reference = await mistakes.of(host, 'tag', () => distinct(parseReference(tag), host.name, known));
    if (reference !== undefined) found.set(host, reference);
  }
  return found;
}

function distinct(reference: Reference, name: string, known: Map<string, string>): Reference {
  const other = known.get(reference.name);
  if (other !== undefined) {
    throw usageError(`the hosts '${other}' and '${name}' would have the same image name, ${reference.name}`, {
      code: 'inventory.tag',
      hint: "put the host's name into the tag: 'legacy/{{host}}:{{date}}'",
    });
  }
  known.set(reference.name, name);
  return reference;
}

/** A window that is over, and no other: the host would never be begun. */
export async function requireWindows(hosts: readonly FleetHost[], mistakes: HostMistakes): Promise<void> {
  for (const host of hosts) {
    await mistakes.of(host, 'window', () => {
      if (host.opens?.(Date.now()) !== Number.POSITIVE_INFINITY) return;
      throw usageError(`the maintenance window of '${host.name}' is over, and it has no other`, {
        code: 'inventory.window',
        hint: "give it another 'window:' in the inventory, or leave it out: '!NAME'",
      });
    });
  }
}
