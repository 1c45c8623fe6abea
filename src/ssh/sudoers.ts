/** The least that a sudoers file must say for p2c (sudoers(5)). */

export interface SudoersWishes {
  /** False where p2c is given the user's password. */
  readonly withoutPassword: boolean;
  /** When the rights end by themselves: sudo 1.8.20 and later. */
  readonly until?: Date | undefined;
}

/**
 * Lines for a file of its own in /etc/sudoers.d, for the user that p2c logs in as. p2c runs every command by `sh -c`, so
 * this is what it needs and no less; and whoever may run sh as root is root, which the lines say.
 */
export function sudoersLines(user: string, { withoutPassword, until }: SudoersWishes): string[] {
  const name = escaped(user);
  const options = [
    // Without a terminal, as p2c's commands are; in sudoers files of old, requiretty is usual.
    '!requiretty',
    ...(withoutPassword ? [] : ['timestamp_timeout=0']),
  ];
  const tag = withoutPassword ? 'NOPASSWD' : 'PASSWD';
  const end = until === undefined ? '' : `NOTAFTER=${generalizedTime(until)} `;
  return [
    `# For p2c while it migrates this server. Whoever may run sh as root is root: take this file away afterwards.`,
    `Defaults:${name} ${options.join(', ')}`,
    `${name} ALL=(root) ${end}${tag}: /bin/sh`,
  ];
}

/** Characters that sudoers gives a meaning; a `#`, `%` or `+` in front would make it an id, a group or a netgroup. */
function escaped(user: string): string {
  return user.replace(/[\\,:=!() "@#%+]/g, '\\$&');
}

/** RFC 4517, 3.3.13: `20261125113000Z`. */
function generalizedTime(date: Date): string {
  return `${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`;
}
