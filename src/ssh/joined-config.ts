/**
 * The user's and the system's ssh_config in one file, for ssh's -F: that replaces both, so what the system says (its
 * RevokedHostKeys too) would be lost where only the user's is named.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class JoinedConfig implements AsyncDisposable {
  readonly #folder: string;
  readonly #own: string;

  private constructor(folder: string, own: string) {
    this.#folder = folder;
    this.#own = own;
  }

  /**
   * The user's is copied: ssh takes what is included from root and the one who runs it only (readconf.c, SSHCONF_CHECKPERM), and with
   * a HOME that sudo left alone it is another's. Of a name that is not absolute, the system's Include looks in ~/.ssh.
   */
  static async of(own: string, system: string): Promise<JoinedConfig> {
    const text = await readFile(own);
    const config = new JoinedConfig(await mkdtemp(join(tmpdir(), 'p2c-ssh-')), own);
    try {
      const rest = `\nMatch all\nInclude ${system}\n`;
      await writeFile(config.file, Buffer.concat([text, Buffer.from(rest)]), { mode: 0o600 });
      return config;
    } catch (error) {
      await config[Symbol.asyncDispose]();
      throw error;
    }
  }

  get file(): string {
    return join(this.#folder, 'config');
  }

  /** What ssh says of the file, said of the one that the user knows: its lines come first. */
  renamed(words: string): string {
    return words.replaceAll(this.file, this.#own);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
