/** The options of `audit` and `migrate` that decide what is captured. */
import type { Argv } from 'yargs';
import { parsePattern } from '../listing/pattern.ts';
import { type RuleInput, type RuleLevel, SPARSE_POLICIES, type SparsePolicy } from '../listing/rules.ts';
import type { SurveyRequest } from '../pipeline/request.ts';

export interface CaptureOptions {
  profile: string[] | undefined;
  exclude: string[] | undefined;
  include: string[] | undefined;
  sparse: SparsePolicy;
}

export function withCaptureOptions<Options>(parser: Argv<Options>): Argv<Options & CaptureOptions> {
  return parser
    .option('profile', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe:
        "application on the server: a shipped profile's name or a file (repeatable; default: those that run there; none: no profile)",
    })
    .option('exclude', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: "anchored pattern to leave out: '/opt/app/cache/**' (repeatable)",
    })
    .option('include', {
      type: 'string',
      array: true,
      nargs: 1,
      requiresArg: true,
      describe: 'pattern to take although a rule of a profile or the base leaves it out (repeatable)',
    })
    .option('sparse', {
      type: 'string',
      choices: SPARSE_POLICIES,
      default: 'skip' as const,
      requiresArg: true,
      describe:
        'files with more than 1 GiB of holes: leave out, write the holes as zeros, or store as sparse in pax headers',
    });
}

/** The rules a person gave, in the words of rules. @throws P2cError `rule.invalid`. */
export function rulesFrom(
  level: RuleLevel,
  excludes: readonly string[] = [],
  includes: readonly string[] = [],
): RuleInput[] {
  const rule = (action: RuleInput['action']) => (pattern: string) => {
    parsePattern(pattern);
    return { level, action, pattern, reason: `asked for on the ${level === 'inventory' ? "inventory's host" : level}` };
  };
  return [...excludes.map(rule('exclude')), ...includes.map(rule('include'))];
}

/**
 * The profiles that were named; where none was, those of what runs on the source are to be recognised.
 * @throws P2cError `profile.*`, all mistakes of a file at once.
 */
export async function profilesFrom(
  names: readonly string[] = [],
): Promise<Pick<SurveyRequest, 'profiles' | 'recognise'>> {
  if (names.length === 0) return { profiles: [], recognise: true };
  // What reads profiles takes a while to load, and most calls name none.
  const { selectProfiles } = await import('../profiles/select.ts');
  return { profiles: selectProfiles(names), recognise: false };
}
