/** The few Jinja templates that inventories have in what p2c reads: `{{ name }}`, `{{ name.key }}`, `{{ inventory_hostname }}`. */
import { usageError } from '../../errors.ts';
import { type AnsibleValue, Unsafe, Vaulted } from './value.ts';

const MAX_DEPTH = 10;

type Lookup = (name: string) => AnsibleValue | undefined;

export interface Surroundings {
  readonly lookup: Lookup;
  /** For messages: `ansible_host of web1`. */
  readonly where: string;
  /** True of a password: what looks like a template may be a part of it, and no message has any. */
  readonly secret?: boolean;
}

const PLACEHOLDER = /\{\{\s*([\w.]+)\s*\}\}/g;

/**
 * No message has the value: a variable that is filled in elsewhere may hold a secret.
 * @throws P2cError `inventory.template` for a template that is more than a name, and for a name that is unknown.
 */
export function filledIn(value: AnsibleValue, around: Surroundings, depth = 0): AnsibleValue {
  const { where } = around;
  if (typeof value !== 'string' || !/\{[{%#]/.test(value)) return value;
  if (depth > MAX_DEPTH) throw refused(`${where} refers to itself`);
  const whole = /^\{\{\s*([\w.]+)\s*\}\}$/.exec(value)?.[1];
  if (whole !== undefined) return found(whole, around, depth);
  // What is filled in may have braces of its own.
  if (/\{[{%#]/.test(value.replace(PLACEHOLDER, ''))) {
    throw refused(`${where} is a template that p2c cannot fill in`);
  }
  return value.replace(PLACEHOLDER, (_, name: string) => {
    const item = found(name, around, depth);
    if (item instanceof Vaulted) throw refused(`${where} has a vault's value in the middle of a text`);
    return item instanceof Unsafe ? item.text : String(item);
  });
}

function found(name: string, around: Surroundings, depth: number): AnsibleValue {
  const { lookup, where, secret = false } = around;
  const [first = '', ...keys] = name.split('.');
  let value = lookup(first);
  for (const key of keys) value = childOf(value, key);
  if (value === undefined) {
    const what = secret ? 'a variable' : `'${name}'`;
    throw refused(`${where} refers to ${what}, which has no value in the inventory`);
  }
  return filledIn(value, around, depth + 1);
}

function childOf(value: AnsibleValue | undefined, key: string): AnsibleValue | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (value instanceof Vaulted || value instanceof Unsafe) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function refused(message: string): Error {
  return usageError(message, {
    code: 'inventory.template',
    hint: 'give the value as it is, in host_vars for instance; behind !unsafe, braces are braces',
  });
}
