/** Hosts that were not begun, told together where the reason is one. */
import { namesOf } from './units.ts';

/** In the order of their first hosts; `who` names some of them, and counts the others. */
export function byReason<Told extends { readonly message: string }>(
  hosts: readonly { readonly name: string; readonly error: Told }[],
): { readonly who: string; readonly error: Told }[] {
  const reasons = new Map<string, { readonly names: string[]; readonly error: Told }>();
  for (const { name, error } of hosts) {
    const known = reasons.get(error.message);
    if (known === undefined) reasons.set(error.message, { names: [name], error });
    else known.names.push(name);
  }
  return [...reasons.values()].map(({ names, error }) => ({ who: namesOf(names), error }));
}
