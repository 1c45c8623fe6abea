/** The variables of one host that p2c reads, with templates filled in and vaults opened when they are needed. */
import * as z from 'zod';
import { usageError } from '../../errors.ts';
import { mistakesOf } from '../../profiles/mistakes.ts';
import { suggestion } from '../../profiles/nearest.ts';
import { Secret } from '../../ssh/secret.ts';
import { type CaptureSettings, captureSettings } from '../settings.ts';
import { filledIn } from './template.ts';
import { type AnsibleValue, Unsafe, Vaulted } from './value.ts';
import { isVault, type Vault } from './vault.ts';

const PREFIX = 'p2c_';

interface Named {
  readonly name: string;
  readonly value: AnsibleValue;
}

export class HostVariables {
  readonly #host: string;
  readonly #variables: ReadonlyMap<string, AnsibleValue>;
  readonly #vault: Vault;
  readonly #place: (variable: string) => string;

  /** @param place where a variable has its value from, in words. */
  constructor(
    host: string,
    variables: ReadonlyMap<string, AnsibleValue>,
    groups: readonly string[],
    vault: Vault,
    place: (variable: string) => string,
  ) {
    this.#host = host;
    this.#vault = vault;
    this.#place = place;
    this.#variables = new Map<string, AnsibleValue>([
      ['inventory_hostname', host],
      ['inventory_hostname_short', host.split('.')[0] ?? host],
      ['group_names', [...groups].sort()],
      ...variables,
    ]);
  }

  /** The last of the names that has a value, as in Ansible's lists of them (`ansible-doc -t connection ssh`). @throws P2cError `inventory.template`, `inventory.vault`. */
  async text(...names: readonly string[]): Promise<string | undefined> {
    const found = this.#last(names);
    return found === undefined ? undefined : this.#text(found);
  }

  async #text({ name, value: raw }: Named, secret = false): Promise<string | undefined> {
    const value = await this.#opened(raw, name, secret);
    if (value === null || value === '') return undefined;
    if (typeof value === 'object') throw this.wrong(name, 'is not a text');
    return String(value);
  }

  /** @throws P2cError */
  async number(...names: readonly string[]): Promise<number | undefined> {
    const text = await this.text(...names);
    if (text === undefined) return undefined;
    if (/^\d{1,9}$/.test(text)) return Number(text);
    throw this.wrong(names[0] ?? '', `is no number: '${text}'`);
  }

  /** As Ansible takes truth: yes, true, on, 1 and their like. */
  async truth(name: string): Promise<boolean> {
    const text = await this.text(name);
    return text !== undefined && ['yes', 'true', 'on', '1', 'y', 't'].includes(text.toLowerCase());
  }

  /** A password: nothing is opened before it is asked for. Undefined where none of the names has a value. */
  secret(...names: readonly string[]): (() => Promise<Secret>) | undefined {
    const found = this.#last(names);
    if (found === undefined) return undefined;
    return async () => new Secret((await this.#text(found, true)) ?? '');
  }

  /** Settings of p2c's own: `p2c_profile`, `p2c_tag`… @throws P2cError `inventory.invalid`. */
  async settings(): Promise<CaptureSettings> {
    const known = Object.keys(captureSettings);
    const values: Record<string, unknown> = {};
    const mistakes: string[] = [];
    for (const [name, value] of this.#variables) {
      if (!name.startsWith(PREFIX)) continue;
      const key = name.slice(PREFIX.length);
      if (!known.includes(key)) {
        const others = known.map((word) => PREFIX + word).join(', ');
        mistakes.push(this.#sentence(name, `is not known${suggestion(key, known)}: there are ${others}`));
      } else values[key] = key === 'tag' ? await this.#tag(value) : await this.#plain(value, name);
    }
    const checked = z.object(captureSettings).safeParse(values, { reportInput: true });
    for (const { path, message } of checked.success ? [] : mistakesOf(checked.error.issues)) {
      const key = String(path[0] ?? '');
      const what = message.startsWith(`${key}: `) ? message.slice(key.length + 2) : message;
      mistakes.push(this.#sentence(PREFIX + key, what, ':'));
    }
    if (checked.success && mistakes.length === 0) return checked.data;
    throw usageError(mistakes.join('\n'), { code: 'inventory.invalid' });
  }

  wrong(name: string, message: string): Error {
    return usageError(this.#sentence(name, message), { code: 'inventory.invalid' });
  }

  #sentence(name: string, message: string, between = ''): string {
    return `${this.#place(name)}: ${name} of the host '${this.#host}'${between} ${message}`;
  }

  /** Templates of Ansible are filled in beside a tag's own placeholders, which wait for the day of the migration. */
  async #tag(value: AnsibleValue): Promise<AnsibleValue> {
    if (value instanceof Unsafe) return value.text;
    if (typeof value !== 'string' || isVault(value)) return value;
    const pieces = value.split(/(\{\{\s*(?:host|date)\s*\}\})/);
    const filled = pieces.map(async (piece, at) =>
      at % 2 === 1 ? piece : String((await this.#opened(piece, `${PREFIX}tag`)) ?? ''),
    );
    return (await Promise.all(filled)).join('');
  }

  #last(names: readonly string[]): Named | undefined {
    const found = names.flatMap((name): Named[] => {
      const value = this.#variables.get(name);
      return value === undefined || value === null ? [] : [{ name, value }];
    });
    return found.at(-1);
  }

  async #opened(raw: AnsibleValue, name: string, secret = false): Promise<AnsibleValue> {
    const where = `${this.#place(name)}: ${name} of ${this.#host}`;
    const value = filledIn(raw, { lookup: (other) => this.#variables.get(other), where, secret });
    if (value instanceof Unsafe) return value.text;
    if (value instanceof Vaulted) return this.#vault.open(value.text, where);
    return typeof value === 'string' && isVault(value) ? this.#vault.open(value, where) : value;
  }

  async #plain(value: AnsibleValue, name: string): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((item: AnsibleValue) => this.#plain(item, name)));
    if (typeof value !== 'object' || value === null || value instanceof Vaulted || value instanceof Unsafe)
      return this.#opened(value, name);
    const entries = Object.entries(value).map(async ([key, item]) => [key, await this.#plain(item, name)] as const);
    return Object.fromEntries(await Promise.all(entries));
  }
}
