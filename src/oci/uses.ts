/**
 * Which blobs are spoken for though no index names them yet: a capture under way has finished parts, and the image that
 * will hold them does not exist. Each process notes its own; notes of processes that are gone do not count.
 *
 * The contract with collection, all of it under the store's lock: a digest is noted before its blob becomes visible, and
 * also where a blob of that digest is there already, for the image it belongs to may be removed next. Notes are taken back
 * only when the store is disposed of, after the index names what it shall. Who collects keeps what the index reaches and
 * what the living have noted. So a blob can be collected only when nobody will name it. Processes are told apart by
 * their number: all users of a store share one PID namespace.
 */
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../errors.ts';
import { type Digest, isDigest } from './digest.ts';
import { makeFolder, namesIn, temporaryName } from './files.ts';

export class Uses {
  readonly #folder: string;
  readonly #file: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#file = join(folder, temporaryName('uses'));
  }

  /** Before the blobs become visible. */
  async note(...digests: readonly Digest[]): Promise<void> {
    // Where another tool made the layout, the folder is not there yet.
    await makeFolder(this.#folder, 0o700);
    await appendFile(this.#file, digests.map((digest) => `${digest}\n`).join(''), { mode: 0o600 });
  }

  /** This user's blobs are referenced now, or not wanted any more. */
  async release(): Promise<void> {
    await rm(this.#file, { force: true });
  }

  /** What all live processes have noted. */
  async all(): Promise<Set<Digest>> {
    const digests = new Set<Digest>();
    for (const name of await namesIn(this.#folder)) {
      const pid = Number(/^uses-(\d+)-/.exec(name)?.[1] ?? Number.NaN);
      if (Number.isNaN(pid) || !isAlive(pid)) continue;
      const text = await readFile(join(this.#folder, name), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (isDigest(line)) digests.add(line);
    }
    return digests;
  }
}

/** True where a process of this number lives; a number used again keeps a stale note longer, and loses nothing. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === 'EPERM';
  }
}
