/** An image's environment: `KEY=value` texts (OCI image-spec, config.md, Env). */

/** One text for each name, the last that was given, where the first of its name stood. */
export function lastOfEachName(variables: readonly string[]): string[] {
  const byName = new Map<string, string>();
  for (const variable of variables) byName.set(nameOf(variable), variable);
  return [...byName.values()];
}

function nameOf(variable: string): string {
  const equals = variable.indexOf('=');
  return equals < 0 ? variable : variable.slice(0, equals);
}
