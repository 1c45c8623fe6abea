/**
 * Blobs that outlive the process that made them though no index names them yet: the finished parts of a run that can be
 * resumed. Each holder has a list of digests; who collects keeps what is on any list. A digest is put on a list while the
 * process that made the blob still has it noted (see uses.ts), so there is no moment in which nobody speaks for it.
 */
import { open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Digest, isDigest } from './digest.ts';
import { makeFolder, namesIn, storeError, syncFolder } from './files.ts';

/** A holder's name is a file's name. */
const HOLDER = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

export class Holds {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** On the disk when it returns. @throws P2cError `store.full`, `store.denied`. */
  async add(holder: string, digest: Digest): Promise<void> {
    const file = this.#file(holder);
    try {
      await makeFolder(this.#folder, 0o700);
      const handle = await open(file, 'a', 0o600);
      try {
        await handle.appendFile(`${digest}\n`);
        await handle.sync();
      } finally {
        await handle.close();
      }
      await syncFolder(this.#folder);
    } catch (error) {
      throw storeError(error, file);
    }
  }

  /** The holder's blobs are named by an image now, or not wanted any more. */
  async release(holder: string): Promise<void> {
    await rm(this.#file(holder), { force: true });
  }

  /** The same for all whose name is `group.SOMETHING`. */
  async releaseGroup(group: string): Promise<void> {
    for (const holder of await this.#holders()) if (holder.startsWith(`${group}.`)) await this.release(holder);
  }

  /** What all holders hold. A list whose last line was cut by a power failure lacks that line only. */
  async all(): Promise<Set<Digest>> {
    const digests = new Set<Digest>();
    for (const name of await this.#holders()) {
      const text = await readFile(join(this.#folder, name), 'utf8').catch(() => '');
      for (const line of text.split('\n')) if (isDigest(line)) digests.add(line);
    }
    return digests;
  }

  async #holders(): Promise<string[]> {
    return (await namesIn(this.#folder)).filter((name) => HOLDER.test(name));
  }

  #file(holder: string): string {
    if (!HOLDER.test(holder)) throw new Error(`'${holder}' cannot be the name of a holder`);
    return join(this.#folder, holder);
  }
}
