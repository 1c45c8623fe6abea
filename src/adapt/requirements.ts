/** What a unit's file says that the unit cannot do without (systemd.unit(5)); the names of older releases are among them. */
import { commentOut } from './lines.ts';

/** With the lines that go on after a backslash. */
const REQUIREMENT =
  /^[ \t]*(Requires|RequiresOverridable|Requisite|RequisiteOverridable|BindsTo|BindTo)[ \t]*=((?:.*\\\n)*.*)$/gm;

export function requirementsIn(text: string): string[] {
  return [...text.matchAll(REQUIREMENT)].flatMap(([, , value = '']) => namesIn(value));
}

/** No drop-in can take a requirement back (systemd's issue 7479): the file itself must not say it. */
export function withoutRequirements(text: string, isGone: (unit: string) => boolean): string {
  return text.replace(REQUIREMENT, (lines: string, key: string, value: string) => {
    const names = namesIn(value);
    const left = names.filter((name) => !isGone(name));
    if (left.length === names.length) return lines;
    const commented = commentOut(lines, () => true);
    return left.length === 0 ? commented : `${commented}\n${key}=${left.join(' ')}`;
  });
}

function namesIn(value: string): string[] {
  return value
    .replaceAll('\\\n', ' ')
    .split(/\s+/)
    .filter((name) => name !== '');
}
