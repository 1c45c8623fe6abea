/** What an engine does with a bundle. Making bundles is apart from it, so that engines share them. */
import type { Readable } from 'node:stream';
import type { ProcessIdentity } from './process.ts';
import type { LayerRoot } from './root-path.ts';
import type { Bundle, ContainerProcess } from './spec.ts';

/** A container's folder: `upper` and `work` for its changes, `root` for mounts, and the files of its /etc. */
export interface Place {
  readonly folder: string;
  /** Topmost first. */
  readonly layers: readonly LayerRoot[];
}

export interface Streams {
  /** `inherit` is p2c's own standard input. Without it a terminal's input stays open and silent. */
  readonly input: 'inherit' | 'none';
  /** `none`: what it says is lost, and p2c may end before it does. */
  readonly output: 'pipe' | 'none';
}

/** A process on its way. */
export interface Launched {
  /** The engine's own process on this machine, gone soon after the container's. */
  readonly pid: number;
  /** Undefined where none was asked for. */
  readonly output: Readable | undefined;
  /** Undefined with a terminal, which has one output. */
  readonly errors: Readable | undefined;
  /** The exit code; 128 and the signal's number for a process ended by a signal. */
  readonly ended: Promise<number>;
}

export interface Started extends Launched {
  /**
   * The container's PID 1 as this machine sees it, once everything is set up and nothing but the command is left to
   * start. Rejects with a P2cError `engine.*` where that fails.
   */
  readonly ready: Promise<ProcessIdentity>;
}

export interface Engine {
  /** @throws P2cError `engine.*`. */
  start(place: Place, bundle: Bundle, privileged: boolean, streams: Streams): Promise<Started>;
  /** Runs another process in a running container, confined as its first one is. @throws P2cError `engine.*`. */
  exec(init: ProcessIdentity, bundle: Bundle, process: ContainerProcess, streams: Streams): Promise<Launched>;
}
