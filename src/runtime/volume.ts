/** A folder or file of this machine, or of the store, as it is shown in a container. */

export interface Volume {
  /** Absolute, symbolic links resolved. */
  readonly source: string;
  readonly sourceIsDirectory: boolean;
  /** Absolute path in the container, as written there: links in it are resolved against the image later. */
  readonly destination: string;
  readonly readOnly: boolean;
}

/** Where p2c mounts the kernel's own filesystems: a volume there would undo what keeps a container apart. */
const RESERVED = /^\/(?:proc|sys|dev|dev\/pts|dev\/mqueue)$|^\/(?:proc|sys)\//;

/** @param path clean and absolute. */
export function isReserved(path: string): boolean {
  return RESERVED.test(path);
}
