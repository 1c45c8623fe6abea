/** What a user may ask of a container, by theme; `p2c run` and `p2c create` read the same. */
import type { DeviceWish } from './device.ts';
import type { InitWish } from './init/boot.ts';
import type { NetworkWish } from './network/resolve.ts';
import type { RestartPolicy } from './restart-policy.ts';
import type { Tmpfs } from './tmpfs.ts';
import type { Ulimit } from './ulimit.ts';
import type { Volume } from './volume.ts';
import type { MountWish } from './volumes/wish.ts';

export interface ProcessOptions {
  readonly command: readonly string[];
  readonly entrypoint?: string | undefined;
  /** `KEY=value`. */
  readonly environment: readonly string[];
  readonly workingFolder?: string | undefined;
  readonly user?: string | undefined;
  readonly terminal: boolean;
  readonly interactive: boolean;
}

/** What becomes PID 1. */
export interface InitOptions {
  readonly init: InitWish;
}

export interface IsolationOptions {
  readonly privileged: boolean;
  /** Names without `CAP_` or with it; `all`. */
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly devices: readonly DeviceWish[];
  /** The root filesystem cannot be written to. */
  readonly readOnly: boolean;
  readonly personality: readonly Personality[];
}

/** What a process is told of the machine (personality(2)): a kernel named 2.6, or a machine of 32 bits. */
export type Personality = 'uname26' | 'ia32';

export interface ResourceOptions {
  /** Bytes. */
  readonly shmSize: number;
  readonly ulimits: readonly Ulimit[];
  /** Bytes. */
  readonly memory?: number | undefined;
  /** Processors, also parts of one. */
  readonly cpus?: number | undefined;
  readonly pidsLimit?: number | undefined;
}

export interface ResourceWishes extends Omit<ResourceOptions, 'shmSize'> {
  readonly shmSize?: number | undefined;
}

export interface NetworkOptions {
  readonly hostname?: string | undefined;
  readonly network: NetworkWish;
}

/** As they are asked for. */
export interface MountOptions {
  readonly mounts: readonly MountWish[];
}

/** As they are found or made. */
interface VolumeOptions {
  readonly volumes: readonly Volume[];
  readonly tmpfs: readonly Tmpfs[];
  /** The version that an init in the container may make cgroups of; undefined where it only sees them. */
  readonly writableCgroups?: 'v1' | 'v2' | undefined;
}

export interface LifecycleOptions {
  readonly name?: string | undefined;
  readonly autoRemove: boolean;
  readonly engine: EngineWish;
  readonly restart: RestartPolicy;
  /** As `knownSignal` takes it; undefined for the image's. */
  readonly stopSignal?: string | undefined;
  /** Seconds; undefined for what fits its PID 1. */
  readonly stopTimeout?: number | undefined;
  /** Bytes. */
  readonly logMaxSize?: number | undefined;
}

export type EngineName = 'namespaces' | 'runc' | 'crun';
export type EngineWish = EngineName | 'auto';

/** What the bundle is made of. */
export type RunOptions = ProcessOptions & IsolationOptions & ResourceOptions & NetworkOptions & VolumeOptions;

/** Where it says nothing of a resource, the image may. */
export type CreateOptions = Omit<RunOptions, keyof VolumeOptions | keyof ResourceOptions> &
  ResourceWishes &
  MountOptions &
  LifecycleOptions &
  InitOptions;
