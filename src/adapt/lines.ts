/** Edits of configuration, line by line. What is taken away stays readable behind a mark. */

const MARK = '#p2c# ';

/** Comments out the lines that match; those that are comments already stay as they are. */
export function commentOut(text: string, matches: (line: string) => boolean): string {
  return mapLines(text, (line) => (isComment(line) || !matches(line) ? line : `${MARK}${line}`));
}

function isComment(line: string): boolean {
  return /^\s*(?:[#;].*)?$/.test(line);
}

function mapLines(text: string, change: (line: string) => string): string {
  return text.split('\n').map(change).join('\n');
}

/** `KEY=value` of shell: the line that is there gets the value, or one is added. */
export function assign(text: string, key: string, value: string): string {
  const line = `${key}=${value}`;
  const pattern = new RegExp(`^\\s*${key}=.*$`, 'm');
  return pattern.test(text) ? text.replace(new RegExp(pattern.source, 'gm'), () => line) : addLines(text, [line]);
}

/** Lines at the end, but for those that the text has. */
export function addLines(text: string, lines: readonly string[]): string {
  const there = new Set(text.split('\n'));
  const missing = lines.filter((line) => !there.has(line));
  if (missing.length === 0) return text;
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${missing.join('\n')}\n`;
}

/**
 * Shell text in which a command does nothing: `true` stands in its place and keeps its arguments, so that whatever is
 * around it (`&&`, `action "…"`, `if`) still is a program.
 */
export function neutralise(text: string, commands: readonly RegExp[]): string {
  return mapLines(text, (line) => {
    if (isComment(line)) return line;
    return commands.reduce((changed, command) => changed.replace(command, '$<before>/bin/true'), line);
  });
}
