/** What programs are told of the machine: an old kernel's number, 32 bits (personality(2), setarch(8)). */
import { usageError } from '../errors.ts';
import type { Personality } from './options.ts';
import { type Bundle, PERSONALITY } from './spec.ts';

/** setarch's word for each; without an architecture it leaves that as it is. */
const SETARCH: Readonly<Record<Personality, string>> = { uname26: '--uname-2.6', ia32: 'linux32' };

/** @throws P2cError `runtime.personality` (usage). */
export function parsePersonality(text: string): Personality {
  const name = text.toLowerCase();
  if (name === 'uname26' || name === 'ia32') return name;
  throw usageError(`--personality '${text}' is unknown`, {
    code: 'runtime.personality',
    hint: 'uname26: the kernel calls itself 2.6; ia32: the machine calls itself i686',
  });
}

/** The words that run a command, and all that it starts, with the bundle's personality; none where it has none. */
export function personalityCommand({ annotations }: Bundle): string[] {
  const names = (annotations[PERSONALITY] ?? '')
    .split(',')
    .filter((name) => name !== '')
    .map(parsePersonality);
  if (names.length === 0) return [];
  // The architecture is an operand that comes first.
  const words = names
    .map((name) => SETARCH[name])
    .sort((a, b) => Number(a.startsWith('-')) - Number(b.startsWith('-')));
  return ['setarch', ...words];
}
