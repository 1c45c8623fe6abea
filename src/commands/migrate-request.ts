/** What a user asked `p2c migrate` for, checked before a connection is made. */
import { parseRecipeNames } from '../adapt/adapt.ts';
import { usageError } from '../errors.ts';
import { tagSchema } from '../fleet/fields.ts';
import type { FleetHost } from '../fleet/host.ts';
import { expandTag } from '../fleet/settings.ts';
import { parseChange } from '../oci/change.ts';
import { parseReference } from '../oci/reference.ts';
import { storeRoot } from '../oci/root.ts';
import type { MigrationRequest } from '../pipeline/request.ts';
import { parseDuration, parseSize } from '../profiles/quantity.ts';
import { parseTarget } from '../ssh/target.ts';
import { bootRequest } from './boot-options.ts';
import { profilesFrom, rulesFrom } from './capture-options.ts';
import { HostMistakes } from './host-mistakes.ts';
import { profilesOfHosts, referencesOf, requireWindows } from './inventory-mistakes.ts';
import type { Options } from './migrate-options.ts';

/** Everything that can be wrong with what the user wrote is found here, before a connection is made. */
export async function requestOf(
  options: Options,
  words: readonly string[],
): Promise<Omit<MigrationRequest, 'connect'>> {
  const target = words[0];
  if (target === undefined || words.length > 1) {
    throw usageError(words.length > 1 ? `one target is expected, not ${words.length}` : 'no target is named', {
      code: 'usage',
      hint: "'p2c migrate root@HOST --tag NAME', or '-i FILE' for an inventory",
    });
  }
  if (options.tag === undefined) {
    throw usageError('the image has no name', { code: 'usage', hint: 'give one with --tag NAME:TAG' });
  }
  const reference = parseReference(options.tag);
  return {
    ...sharedRequest(options),
    target: parseTarget(target, { port: options.port }),
    ...(await profilesFrom(options.profile)),
    rules: rulesFrom('command line', options.exclude, options.include),
    reference,
    boot: bootRequest(options, reference),
  };
}

/** What is the same for one target and for each host of an inventory. */
function sharedRequest(
  options: Options,
): Omit<MigrationRequest, 'target' | 'connect' | 'profiles' | 'recognise' | 'rules' | 'reference'> {
  return {
    sparse: options.sparse,
    changes: (options.change ?? []).map(parseChange),
    message: options.message,
    storeRoot: storeRoot(),
    stop: options.stop,
    hot: hotOf(options),
    leaseMs: leaseOf(options.lease),
    leaveStopped: leaveStoppedOf(options),
    settle: roundsOf(options.settle),
    streams: streamsOf(options.streams),
    partSize: partSizeOf(options['part-size']),
    skipUnreadable: options['skip-unreadable'],
    adapt: options.adapt,
    withoutRecipes: parseRecipeNames(options.without ?? []),
  };
}

/** Shorter than ten seconds, a lease would run out between two renewals over a slow link. */
export function leaseOf(text: string): number {
  const milliseconds = parseDuration(text);
  if (milliseconds !== undefined && milliseconds >= 10_000 && milliseconds <= 3_600_000) return milliseconds;
  throw usageError(`--lease '${text}' is not a time between 10s and 1h`, {
    code: 'usage',
    hint: 'write 30s, 2m or 10m',
  });
}

function leaveStoppedOf({ 'leave-stopped': leave, stop }: Options): boolean {
  if (!leave || stop) return leave;
  throw usageError('--leave-stopped and --no-stop do not go together', {
    code: 'usage',
    hint: 'leave one of them out',
  });
}

/** A hot copy is made whole by the settling after the stop: without either it would be torn. */
function hotOf({ hot, stop, settle }: Options): boolean {
  if (!hot) return false;
  if (!stop)
    throw usageError('--hot and --no-stop do not go together', { code: 'usage', hint: 'leave one of them out' });
  if (settle < 1) throw usageError('--hot needs --settle 1 or more', { code: 'usage' });
  return true;
}

function roundsOf(rounds: number): number {
  if (Number.isInteger(rounds) && rounds >= 0 && rounds <= 100) return rounds;
  throw usageError(`--settle ${rounds} is not a number of rounds from 0 to 100`, { code: 'usage' });
}

/** An sshd allows ten sessions on a connection (MaxSessions), and p2c needs one beside the streams. */
function streamsOf(streams: number): number {
  if (Number.isInteger(streams) && streams >= 1 && streams <= 8) return streams;
  throw usageError(`--streams ${streams} is not a number of streams from 1 to 8`, { code: 'usage' });
}

/** Smaller than a megabyte, most layers would hold one file; larger than 16 GiB, no registry takes them. */
function partSizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= 1024 ** 2 && bytes <= 16 * 1024 ** 3) return bytes;
  throw usageError(`--part-size '${text}' is not a size between 1m and 16g`, {
    code: 'usage',
    hint: 'write 256m, 1g or 1.5g',
  });
}

/** Of all hosts of an inventory: each needs a name of its own. */
export function tagOf(host: FleetHost, template: string | undefined, today: Date): string | undefined {
  if (template === undefined) return host.tag;
  const checked = tagSchema.safeParse(template);
  if (!checked.success) throw usageError(`--tag: ${checked.error.issues[0]?.message ?? 'is wrong'}`, { code: 'usage' });
  return expandTag(template, host.name, today);
}

type HostRequest = Omit<MigrationRequest, 'connect'>;

/**
 * Of each host of a batch, with its tag filled in.
 * @param kept whether a host is done already: its name of an image is taken, and what else is wrong with it is past.
 * @throws P2cError for what is wrong with the options, and for all that is wrong with the hosts at once.
 */
export async function hostRequests(
  hosts: readonly FleetHost[],
  options: Options,
  kept: (host: FleetHost) => boolean = () => false,
): Promise<Map<FleetHost, HostRequest>> {
  const waiting = hosts.filter((host) => !kept(host));
  const shared = sharedRequest(options);
  const rules = rulesFrom('command line', options.exclude, options.include);
  if (options.name !== undefined) {
    throw usageError('--name is for one target', {
      code: 'usage',
      hint: "each host's container is named after its tag",
    });
  }
  const mistakes = new HostMistakes();
  const profiles = await profilesOfHosts(waiting, options.profile, mistakes);
  const references = await referencesOf(hosts, mistakes);
  await requireWindows(waiting, mistakes);
  for (const host of waiting) await mistakes.of(host, 'tag', () => requireTag(host));
  mistakes.throwAny();
  return new Map(
    hosts.flatMap((host): [FleetHost, HostRequest][] => {
      const [own, reference] = [profiles.get(host), references.get(host)];
      if (own === undefined || reference === undefined) return [];
      const inventory = rulesFrom('inventory', host.exclude, host.include);
      return [
        [
          host,
          {
            ...shared,
            ...own,
            target: host.target,
            rules: [...rules, ...inventory],
            reference,
            boot: bootRequest(options, reference),
            changes: changesOf(host, options),
          },
        ],
      ];
    }),
  );
}

function requireTag({ name, tag }: FleetHost): void {
  if (tag !== undefined) return;
  throw usageError(`the inventory gives no tag for the host '${name}'`, {
    code: 'inventory.tag',
    hint: "give one for all: --tag 'legacy/{{host}}:{{date}}', or 'tag:' in the inventory's defaults or the host",
  });
}

/** Those of the command line come last, and win. */
function changesOf({ volumes, labels }: FleetHost, options: Options): MigrationRequest['changes'] {
  const written = [
    ...volumes.map((path) => `VOLUME ${JSON.stringify([path])}`),
    ...Object.entries(labels).map(([key, value]) => `LABEL ${key}=${JSON.stringify(value)}`),
  ];
  return [...written, ...(options.change ?? [])].map(parseChange);
}
