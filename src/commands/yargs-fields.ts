/** What yargs tells of its declarations and of its last parsing has no types. It is read at each start, so without a schema. */

type Fields = Readonly<Record<string, unknown>>;

/** The object under a name. @throws TypeError where there is none: another yargs than the one p2c is built with. */
export function fieldsIn(value: unknown, name: string): Fields {
  const field = isObject(value) ? value[name] : undefined;
  if (!isObject(field)) throw new TypeError(`yargs tells no '${name}'`);
  return field;
}

/** The list under a name. @throws TypeError likewise. */
export function namesIn(value: unknown, name: string): readonly unknown[] {
  const field = isObject(value) ? value[name] : undefined;
  if (!Array.isArray(field)) throw new TypeError(`yargs tells no '${name}'`);
  return field;
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}
