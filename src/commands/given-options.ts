/** What no verb takes: an option for one value that is given two, and a word where a number is expected. */
import * as z from 'zod';
import { usageError } from '../errors.ts';

/** yargs hands its declarations to a check, by name and by alias. */
const declaredSchema = z.looseObject({
  key: z.record(z.string(), z.unknown()),
  array: z.array(z.string()),
  number: z.array(z.string()),
});

/** To be called by yargs' `check`. @throws P2cError `usage`. */
export function checkGivenOptions(given: Readonly<Record<string, unknown>>, declarations: unknown): true {
  const { key, array, number } = declaredSchema.parse(declarations);
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
