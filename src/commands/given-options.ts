/** What no verb takes: an option for one value that is given two, and a word where a number is expected. */
import { usageError } from '../errors.ts';
import { fieldsIn, namesIn } from './yargs-fields.ts';

/** To be called by yargs' `check`, which hands its declarations on, by name and by alias. @throws P2cError `usage`. */
export function checkGivenOptions(given: Readonly<Record<string, unknown>>, declarations: unknown): true {
  const key = fieldsIn(declarations, 'key');
  const array = namesIn(declarations, 'array');
  const number = namesIn(declarations, 'number');
  for (const [name, value] of Object.entries(given)) {
    // Aliases and camel-case spellings repeat what is there under the declared name.
    if (!Object.hasOwn(key, name) || array.includes(name)) continue;
    const option = name.length === 1 ? `-${name}` : `--${name}`;
    if (Array.isArray(value)) {
      throw usageError(`${option} is given ${value.length} times, and takes one value`, { code: 'usage' });
    }
    if (number.includes(name) && Number.isNaN(value)) {
      throw usageError(`${option} takes a number`, { code: 'usage' });
    }
  }
  return true;
}
