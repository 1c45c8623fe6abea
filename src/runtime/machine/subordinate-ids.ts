/** The user and group ids that a user may use beside the own one, for containers without root (subuid(5)). */

/** How many ids a file of lines `NAME:FIRST:COUNT` gives to the user. */
export function subordinateIds(text: string, user: { readonly name: string; readonly id: number }): number {
  return text
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([owner, , count]) => (owner === user.name || owner === String(user.id)) && /^\d+$/.test(count ?? ''))
    .reduce((sum, [, , count]) => sum + Number(count), 0);
}
