/** What a machine can or cannot do, with the reason where it cannot or where nobody knows. */
export type Ability = { readonly able: true } | { readonly able: false | 'unknown'; readonly reason: string };

export function unable(reason: string): Ability {
  return { able: false, reason };
}
