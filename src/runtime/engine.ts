/** What an engine does with a bundle. Making bundles is apart from it, so that engines share them. */
import type { Readable, Writable } from 'node:stream';
import type { TerminalSize } from './attach/records.ts';
import type { EngineName } from './options.ts';
import type { ProcessIdentity } from './process.ts';
import type { LayerRoot } from './root-path.ts';
import type { Bundle, ContainerProcess } from './spec.ts';

/**
 * A container's folder: `config.json`, which is the bundle; `upper` and `work` for its changes, `root` for mounts, and the
 * files of its /etc.
 */
export interface Place {
  readonly id: string;
  readonly folder: string;
  /** Topmost first. */
  readonly layers: readonly LayerRoot[];
  /** Device nodes of the image and of its volumes can be opened. */
  readonly privileged: boolean;
}

export interface Streams {
  /**
   * `inherit` is p2c's own standard input: with a terminal, or where it is a pipe or a socket, for what is open in a container
   * is its root's to change. With `none`, a terminal's input stays open and silent.
   */
  readonly input: 'inherit' | 'pipe' | 'none';
  /** `none`: what it says is lost, and p2c may end before it does. */
  readonly output: 'pipe' | 'none';
  /** Of its terminal at the start, where that is not inherited with the input. */
  readonly size?: TerminalSize | undefined;
}

/** A process on its way. */
export interface Launched {
  /** The engine's own process on this machine, gone soon after the container's. */
  readonly pid: number;
  /** Undefined where no pipe was asked for. */
  readonly input: Writable | undefined;
  /** Undefined where none was asked for. */
  readonly output: Readable | undefined;
  /** Undefined with a terminal, which has one output. */
  readonly errors: Readable | undefined;
  /** The exit code; 128 and the signal's number for a process ended by a signal; 126 and 127 as a shell has them. */
  readonly ended: Promise<number>;
}

export interface Started extends Launched {
  /**
   * The container's PID 1 as this machine sees it, once its command was started; it may have ended by then. Rejects with a
   * P2cError `engine.*` where the set-up fails, `container.command` where the command itself cannot be started.
   */
  readonly ready: Promise<ProcessIdentity>;
}

/** Both engines keep these promises; `test/integration/runtime.test.ts` holds them to it. */
export interface Engine {
  readonly name: EngineName;
  /** What protects containers elsewhere and is missing here, in a few words each: told when one starts. */
  missing(): Promise<readonly string[]>;
  /** Makes the container's cgroups and namespaces and runs its first process. @throws P2cError `engine.*`. */
  start(place: Place, bundle: Bundle, streams: Streams): Promise<Started>;
  /** Runs another process in a running container, confined as its first one is. @throws P2cError `engine.*`. */
  exec(
    place: Place,
    init: ProcessIdentity,
    bundle: Bundle,
    process: ContainerProcess,
    streams: Streams,
  ): Promise<Launched>;
  /**
   * Takes away what may outlive a container's processes, cgroups for one. The container has ended; to call it twice, or
   * for one that never started, does no harm. @throws P2cError `engine.*` where something stays.
   */
  cleanUp(place: Pick<Place, 'id' | 'folder'>): Promise<void>;
}
