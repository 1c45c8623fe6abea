/** Values of Ansible's variables: what YAML holds, what a vault keeps shut until it is needed, and what is no template. */

/** The text of a `!vault` value, as it stands in the file. */
export class Vaulted {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return '[vault]';
  }
}

/** A `!unsafe` text: never filled in, whatever braces it has. */
export class Unsafe {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

export type AnsibleValue =
  | string
  | number
  | boolean
  | null
  | Vaulted
  | Unsafe
  | readonly AnsibleValue[]
  | { readonly [key: string]: AnsibleValue };

export type Variables = ReadonlyMap<string, AnsibleValue>;

/** What YAML made, as a value: dates and other things that variables of p2c never are become text. */
export function ansibleValue(value: unknown): AnsibleValue {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (value instanceof Vaulted || value instanceof Unsafe) return value;
  if (Array.isArray(value)) return value.map(ansibleValue);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ansibleValue(item)]));
  }
  return value instanceof Date ? dateText(value) : String(value);
}

/** As it was written, where it is a day alone; Ansible has days and moments in no variable that p2c reads. */
function dateText(date: Date): string {
  const text = date.toISOString();
  return text.endsWith('T00:00:00.000Z') ? text.slice(0, 10) : text;
}
