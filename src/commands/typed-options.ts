/**
 * Which options were typed. What differs from the default does not tell: a default value that was typed is meant, and
 * replaces another one that a run was begun with.
 */
import { fieldsIn } from './yargs-fields.ts';

/** @param parsed `parsed` of a parser that has parsed. @returns their names in every spelling. */
export function typedOptions(parsed: unknown): ReadonlySet<string> {
  const argv = fieldsIn(parsed, 'argv');
  // Those that had their default put in, and each name's other spellings.
  const defaulted = fieldsIn(parsed, 'defaulted');
  const aliases = fieldsIn(parsed, 'aliases');
  const isDefault = (name: unknown): boolean => Object.hasOwn(defaulted, String(name));
  const typed = Object.keys(argv).filter((name) => {
    if (name === '_' || name === '$0' || argv[name] === undefined) return false;
    const others = aliases[name] ?? [];
    return !isDefault(name) && !(Array.isArray(others) && others.some(isDefault));
  });
  return new Set(typed);
}
