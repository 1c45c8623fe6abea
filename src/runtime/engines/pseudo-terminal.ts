/**
 * A pseudo-terminal between p2c's and a container's, by script(1). The container never has the user's own terminal as
 * its controlling one: it could type into that (TIOCSTI).
 */

/** The words that run a command under a new terminal, passing its exit code on. */
export function underTerminal(words: readonly string[]): string[] {
  return ['script', '--quiet', '--return', '--flush', '--command', words.map(quoted).join(' '), '/dev/null'];
}

/** One word for the POSIX sh that script starts. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
