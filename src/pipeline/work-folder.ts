/** A run's own folder for listings and path lists; gone when the run is over. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../oci/files.ts';
import { makeTemporary } from '../runtime/owned-name.ts';

export class WorkFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Below `parent`, readable by this user only: file names of a server are nobody else's business. */
  static async create(parent: string): Promise<WorkFolder> {
    await makeFolder(parent);
    return new WorkFolder(await mkdtemp(join(parent, `run-${process.pid}-`)));
  }

  /** The same among the machine's temporary files, where no store is needed. */
  static async temporary(): Promise<WorkFolder> {
    return new WorkFolder(await makeTemporary('run'));
  }

  /** A folder of its own inside, for one stage. */
  async sub(name: string): Promise<string> {
    const path = join(this.path, name);
    await mkdir(path, { mode: 0o700 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
