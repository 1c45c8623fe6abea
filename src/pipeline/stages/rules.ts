/** Gathers the rules of a capture from where they come: facts of the source, the user, profiles, the base. */
import { literalPattern, RuleSet, type RuleInput } from '../../listing/rules.ts';
import { baseRules } from '../../profiles/load.ts';
import type { Profile } from '../../profiles/schema.ts';
import { bytesOf } from '../../printable.ts';
import type { SourceFacts } from '../../source/facts.ts';
import type { SurveyRequest } from '../request.ts';

/** @throws P2cError `rule.invalid`. Called before connecting with the rules known by then, so that a typo costs nothing. */
export async function rulesOf(request: SurveyRequest, facts?: SourceFacts): Promise<RuleSet> {
  return new RuleSet([
    ...(facts === undefined ? [] : factRules(facts)),
    ...request.rules,
    ...request.profiles.flatMap(profileRules),
    ...(await baseRules()).map((rule) => ({ ...rule, level: 'base' as const, action: 'exclude' as const })),
  ]);
}

function profileRules(profile: Profile): RuleInput[] {
  const rule = (action: 'exclude' | 'include') => (item: Profile['exclude'][number]) => ({
    level: 'profile' as const,
    action,
    pattern: item.path,
    reason: `${profile.name}: ${item.reason}`,
    type: item.type,
  });
  return [...profile.exclude.map(rule('exclude')), ...profile.include.map(rule('include'))];
}

/** What a tar cannot hold, and what would be held twice: nobody can choose otherwise. */
function factRules(facts: SourceFacts): RuleInput[] {
  const binds = facts.filesystems.filter((mount) => mount.verdict === 'bind');
  return [
    ...binds.map((mount) => ({
      level: 'source' as const,
      action: 'exclude' as const,
      pattern: `${literalPattern(textOf(mount.mountPoint))}/**`,
      reason: mount.reason,
    })),
    { level: 'source', action: 'exclude', pattern: '/**', type: 's', reason: 'tar has no type for sockets' },
    {
      level: 'source',
      action: 'exclude',
      pattern: '/**/.wh.*',
      reason: 'a name that begins .wh. deletes files of lower layers (OCI image-spec, Whiteouts)',
    },
    ...facts.swapFiles.map((path) => ({
      level: 'base' as const,
      action: 'exclude' as const,
      pattern: literalPattern(textOf(path)),
      reason: 'in use as swap space',
    })),
  ];
}

/** Patterns are text; a mount point whose bytes are no UTF-8 cannot be written as one, and is then not matched. */
function textOf(path: Parameters<typeof bytesOf>[0]): string {
  return bytesOf(path).toString('utf8');
}
