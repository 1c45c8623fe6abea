/** The few Jinja templates that inventories have in what p2c reads: `{{ name }}`, `{{ name.key }}`, `{{ inventory_hostname }}`. */
import { usageError } from '../../errors.ts';
import { type AnsibleValue, Vaulted } from './value.ts';

const MAX_DEPTH = 10;

export type Lookup = (name: string) => AnsibleValue | undefined;

/**
 * @param where for messages: `ansible_host of web1`.
 * @throws P2cError `inventory.template` for a template that is more than a name, and for a name that is unknown.
 */
export function filledIn(value: AnsibleValue, lookup: Lookup, where: string, depth = 0): AnsibleValue {
  if (typeof value !== 'string' || !/\{[{%#]/.test(value)) return value;
  if (depth > MAX_DEPTH) throw refused(`${where} refers to itself`);
  const whole = /^\{\{\s*([\w.]+)\s*\}\}$/.exec(value)?.[1];
  if (whole !== undefined) return found(whole, lookup, where, depth);
  const text = value.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => {
    const item = found(name, lookup, where, depth);
    if (item instanceof Vaulted) throw refused(`${where} has a vault's value in the middle of a text`);
    return String(item);
  });
  if (/\{[{%#]/.test(text)) throw refused(`${where} is a template that p2c cannot fill in: '${value.slice(0, 80)}'`);
  return text;
}

function found(name: string, lookup: Lookup, where: string, depth: number): AnsibleValue {
  const [first = '', ...keys] = name.split('.');
  let value = lookup(first);
  for (const key of keys) value = childOf(value, key);
  if (value === undefined) throw refused(`${where} refers to '${name}', which has no value in the inventory`);
  return filledIn(value, lookup, where, depth + 1);
}

function childOf(value: AnsibleValue | undefined, key: string): AnsibleValue | undefined {
  if (typeof value !== 'object' || value === null || value instanceof Vaulted || Array.isArray(value)) return undefined;
  return Object.entries(value).find(([name]) => name === key)?.[1];
}

function refused(message: string): Error {
  return usageError(message, {
    code: 'inventory.template',
    hint: 'give the value as it is, in host_vars for instance',
  });
}
