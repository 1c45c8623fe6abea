/**
 * The commands of a dry run: first what each is for, then each in full, as it would be run. What they name is the source's,
 * and may be made to be obeyed by a terminal.
 */
import { printable } from '../printable.ts';
import type { PlannedCommand } from '../ssh/session.ts';

export function describeCommands(commands: readonly PlannedCommand[]): string {
  const summary = commands.map((command, index) => `${String(index + 1).padStart(3)}  ${headline(command)}`);
  const texts = commands.map((command, index) => `# ${index + 1}. ${headline(command)}\n${inFull(command)}`);
  const page = ['Commands that would follow, on the server', ...summary, '', 'In full', ...texts].join('\n');
  return printable(page, { newlines: true });
}

function headline({ purpose, when }: PlannedCommand): string {
  return when === undefined ? purpose : `${purpose} (${when})`;
}

function inFull({ script, inputText }: PlannedCommand): string {
  if (inputText === undefined) return script.trim();
  const input = inputText.trimEnd().split('\n');
  return [script.trim(), '# its standard input:', ...input.map((line) => `#   ${line}`)].join('\n');
}

/** As `--json` has it. */
export function plannedJson(command: PlannedCommand): object {
  const { purpose, when = null, script, inputText = null, changesSource = false } = command;
  return { purpose, when, script, input: inputText, changesSource };
}
