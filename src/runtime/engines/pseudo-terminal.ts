/**
 * A pseudo-terminal between p2c's and a container's, by script(1). The container never has the user's own terminal as
 * its controlling one: it could type into that (TIOCSTI).
 */
import type { TerminalSize } from '../attach/records.ts';

/**
 * The words that run a command as the first process of a new terminal's session, passing its exit code on. script takes
 * the terminal from `/dev/ptmx` of the mount namespace it runs in.
 * @param owner the user whom the terminal is given to, so that he can open it by its name.
 * @param size undefined where script is under a terminal itself, and hands its size on.
 */
export function underTerminal(words: readonly string[], owner: number, size?: TerminalSize): string[] {
  const sized = size === undefined ? '' : `stty rows ${size.rows} columns ${size.columns}; `;
  const command = `${sized}chown ${owner} /proc/self/fd/0; exec ${words.map(quoted).join(' ')}`;
  return ['script', '--quiet', '--return', '--flush', '--command', command, '/dev/null'];
}

/** One word for the POSIX sh that script starts. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
