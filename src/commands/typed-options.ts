/**
 * Which options were typed. What differs from the default does not tell: a default value that was typed is meant, and
 * replaces another one that a run was begun with.
 */
import * as z from 'zod';

/** What yargs knows of its last parsing: the names that had their default put in, and each name's other spellings. */
const parsedSchema = z.looseObject({
  argv: z.record(z.string(), z.unknown()),
  defaulted: z.record(z.string(), z.unknown()),
  aliases: z.record(z.string(), z.array(z.string())),
});

/** @param parsed `parsed` of a parser that has parsed. @returns their names in every spelling. */
export function typedOptions(parsed: unknown): ReadonlySet<string> {
  const { argv, defaulted, aliases } = parsedSchema.parse(parsed);
  const isDefault = (name: string): boolean => Object.hasOwn(defaulted, name);
  const typed = Object.keys(argv).filter((name) => {
    if (name === '_' || name === '$0' || argv[name] === undefined) return false;
    return !isDefault(name) && !(aliases[name] ?? []).some(isDefault);
  });
  return new Set(typed);
}
