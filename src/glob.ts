/** Patterns over host names: in an inventory, and in known_hosts (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */

/**
 * `*` and `?` over the whole name. Walked, and not made a regular expression, which could be made to run for ever: no
 * pattern takes more than its length times the name's, squared.
 */
export function matchesGlob(name: string, pattern: string): boolean {
  let reached = new Set([0]);
  for (const char of pattern) {
    const next = new Set<number>();
    for (const at of reached) {
      if (char === '*') for (let to = at; to <= name.length; to += 1) next.add(to);
      else if (at < name.length && (char === '?' || char === name.charAt(at))) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(name.length);
}
