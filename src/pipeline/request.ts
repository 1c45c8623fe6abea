/** What a user asked for, checked: nothing in here can turn out to be malformed later. */
import type { RuleInput, SparsePolicy } from '../listing/rules.ts';
import type { Change } from '../oci/change.ts';
import type { Reference } from '../oci/reference.ts';
import type { ByteString } from '../printable.ts';
import type { Profile } from '../profiles/schema.ts';
import type { CreateOptions } from '../runtime/options.ts';
import type { ConnectOptions } from '../ssh/connect.ts';
import type { Target } from '../ssh/target.ts';
import type { Compression } from '../ssh/wire.ts';
import type { HazardPaths } from './hazard-paths.ts';

export interface SurveyRequest {
  readonly target: Target;
  /** With how often in a row one thing is tried again where the link fails. */
  readonly connect: ConnectOptions & { readonly retries: number; readonly compress?: Compression | undefined };
  /** In the order in which their applications are stopped. */
  readonly profiles: readonly Profile[];
  /** True where none was named: the shipped ones whose applications run on the source apply. */
  readonly recognise: boolean;
  /** Rules of the command line and the inventory; those of profiles and the base are added by the pipeline. */
  readonly rules: readonly RuleInput[];
  /** Bytes of tar after which a part of the capture ends; undefined for the usual size. */
  readonly partSize?: number | undefined;
  /** For files with more than 1 GiB of holes. */
  readonly sparse: SparsePolicy;
  /** Paths of which an audit is to say what would become of them. */
  readonly why?: readonly ByteString[];
  /** Takes every path of each hazard, where the first of them are not enough. */
  readonly hazards?: HazardPaths | undefined;
}

/** How the image is booted once it is there. */
export interface BootRequest {
  /** As `p2c run -d` would have them. */
  readonly options: CreateOptions & { readonly name: string };
}

export interface MigrationRequest extends SurveyRequest {
  readonly reference: Reference;
  readonly changes: readonly Change[];
  /** History comment of the image, as `podman import --message`. */
  readonly message: string | undefined;
  readonly storeRoot: string;
  /** False leaves the applications running: the image may then hold files caught in the middle of a change. */
  readonly stop: boolean;
  /** True streams while the applications run, and stops them only for what changed meanwhile. */
  readonly hot: boolean;
  readonly leaseMs: number;
  /** True leaves what was stopped down once the image is there: for the final cutover. */
  readonly leaveStopped: boolean;
  /** True makes the image though something other than a log could not be read. */
  readonly skipUnreadable: boolean;
  /** Parts captured at once. */
  readonly streams: number;
  /** Rounds of delta layers for what moved while it was read. */
  readonly settle: number;
  /** False leaves the raw capture as it is. */
  readonly adapt: boolean;
  /** Names of recipes that are not applied. */
  readonly withoutRecipes: readonly string[];
  readonly boot?: BootRequest | undefined;
}
