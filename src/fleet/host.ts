/** A server of an inventory, whichever kind of file it comes from, with all its defaults filled in. */
import type { P2cError } from '../errors.ts';
import type { BecomeMethod } from '../ssh/become.ts';
import type { Secret } from '../ssh/secret.ts';
import type { Target } from '../ssh/target.ts';

/** What an inventory says of the way to a host, in place of the command line's options of the same names. */
export interface HostConnection {
  /** Key files, absolute. */
  readonly identity?: string[];
  /** As ssh's -J. */
  readonly jump?: string;
  readonly become?: BecomeMethod;
  /** From a vault, opened when it is needed. */
  readonly password?: () => Promise<Secret>;
  readonly becomePassword?: () => Promise<Secret>;
}

/** What of a host has a place in its inventory: `host` is where it is named. */
export type Setting = 'host' | 'identity' | 'profiles' | 'tag' | 'after' | 'window';

export interface FleetHost {
  readonly name: string;
  /** Why it cannot be used: of what is below, only its name and groups are known. */
  readonly mistake?: P2cError | undefined;
  readonly groups: readonly string[];
  readonly target: Target;
  readonly connection: HostConnection;
  /** The jump host that it is reached through, for limits of how many at once. */
  readonly jump?: string | undefined;
  /** Names or absolute paths of profiles. */
  readonly profiles: readonly string[];
  /** With its placeholders filled in. */
  readonly tag: string | undefined;
  readonly exclude: readonly string[];
  readonly include: readonly string[];
  /** Absolute paths for the image's config. */
  readonly volumes: readonly string[];
  /** What a container of the image is to be run with: labels of the image. */
  readonly labels: Readonly<Record<string, string>>;
  /** Hosts that are to be done before it. */
  readonly after: readonly string[];
  /** When its maintenance window opens, in milliseconds since 1970, and Infinity for never. Undefined where it has none. */
  readonly opens?: ((now: number) => number) | undefined;
  /** Where the inventory says it: file, line and column where they are known. Undefined for what the host has from nowhere. */
  readonly place?: ((setting: Setting) => string | undefined) | undefined;
}

interface FleetGroup {
  readonly name: string;
  /** Of its own, and of the groups below it. */
  readonly hosts: readonly string[];
  /** Its own alone. */
  readonly own: readonly string[];
  readonly children: readonly string[];
}

/** The group of those that are in no other. */
export const UNGROUPED = 'ungrouped';

export interface Inventory {
  readonly file: string;
  readonly kind: 'p2c' | 'ansible';
  readonly hosts: readonly FleetHost[];
  readonly groups: readonly FleetGroup[];
  /** Groups that are in no other but `all`, and `ungrouped` for the hosts that are in none. */
  readonly tops: readonly string[];
  /** What was left aside, for a person: options of ssh that p2c has no use for. */
  readonly notes: readonly string[];
}
