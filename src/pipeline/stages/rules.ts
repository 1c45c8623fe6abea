/** Gathers the rules of a capture from where they come: facts of the source, the user, profiles, the base. */
import { messageOf } from '../../errors.ts';
import { parsePattern } from '../../listing/pattern.ts';
import { literalPattern, type RuleInput, RuleSet } from '../../listing/rules.ts';
import { type ByteString, bytesOf, printable } from '../../printable.ts';
import { baseRules, listProfiles } from '../../profiles/load.ts';
import type { Profile, ProfileRule } from '../../profiles/schema.ts';
import { holesOn } from '../../source/compressing.ts';
import type { SourceFacts } from '../../source/facts.ts';
import { leadingParts } from '../../source/mount-tree.ts';
import { shownElsewhere } from '../../source/shown-elsewhere.ts';
import type { SurveyRequest } from '../request.ts';
import type { Tell } from '../stage.ts';

type Facts = Pick<SourceFacts, 'filesystems' | 'swapFiles'>;

/**
 * Called before connecting with the rules known by then, so that a typo costs nothing.
 * @param note told of facts that no rule can be made of.
 * @throws P2cError `rule.invalid`.
 */
export function rulesOf(request: SurveyRequest, facts?: Facts, note: Tell = () => {}): RuleSet {
  const inputs = [
    ...(facts === undefined ? [] : factRules(facts).filter((rule) => isRule(rule, note))),
    ...request.rules,
    ...request.profiles.flatMap(profileRules),
    ...baseRules().map((rule) => ruleInput('base', 'exclude', { ...rule, path: rule.pattern }, 'base')),
  ];
  return new RuleSet(inputs, request.sparse, holesOn(facts?.filesystems ?? []));
}

function profileRules({ name, exclude, include }: Profile): RuleInput[] {
  return [
    ...exclude.map((rule) => ruleInput('profile', 'exclude', rule, name)),
    ...include.map((rule) => ruleInput('profile', 'include', rule, name)),
  ];
}

function ruleInput(level: RuleInput['level'], action: RuleInput['action'], rule: ProfileRule, from: string): RuleInput {
  const reason = rule.reason ?? `the profile ${from} says so`;
  return { level, action, pattern: rule.path, reason, ...(rule.type === undefined ? {} : { type: rule.type }) };
}

/** What a tar cannot hold, and what would be held twice: nobody can choose otherwise. */
function factRules(facts: Facts): RuleInput[] {
  return [
    ...twice(facts.filesystems).map(({ path, reason, except }) => ({
      level: 'source' as const,
      action: 'exclude' as const,
      pattern: `${literalPattern(textOf(path))}/**`,
      reason,
      ...(except.length === 0 ? {} : { except }),
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
      reason: 'swap space',
    })),
  ];
}

/** What is shown a second time, but for the filesystems of their own that are mounted in there: the other rules speak of these. */
function twice(filesystems: Facts['filesystems']): { path: ByteString; reason: string; except: ByteString[] }[] {
  const binds = filesystems.filter(({ verdict }) => verdict === 'bind');
  const places = [...binds.map(({ mountPoint: path, reason }) => ({ path, reason })), ...shownElsewhere(filesystems)];
  const within = new Map(places.map(({ path }): [ByteString, ByteString[]] => [path, []]));
  for (const { mountPoint, verdict } of filesystems) {
    if (verdict !== 'included') continue;
    for (const part of leadingParts(mountPoint)) within.get(part)?.push(mountPoint);
  }
  return places.map((place) => ({ ...place, except: within.get(place.path) ?? [] }));
}

/**
 * Whether the files at a place will not be taken, or may turn out not to be: which profiles apply is known only when the
 * mounts have long been judged. A bind mount of what is left out is then the only place that the files have.
 */
export function leftOutBy(request: SurveyRequest): (path: ByteString) => boolean {
  let rules: RuleSet | undefined;
  return (path) => {
    rules ??= rulesThatMayApply(request);
    return rules.leavesOutMost(path);
  };
}

function rulesThatMayApply(request: SurveyRequest): RuleSet {
  const profiles = request.recognise
    ? listProfiles().map((profile) => ({ ...profile, include: [] }))
    : request.profiles;
  return rulesOf({ ...request, profiles });
}

/** A user cannot mend what a source says, and it must not end the run: what is no place of a file is passed over. */
function isRule({ pattern, reason }: RuleInput, note: Tell): boolean {
  try {
    parsePattern(pattern);
    return true;
  } catch (error) {
    note(printable(`one place that the server names is passed over (${reason}): ${messageOf(error)}`));
    return false;
  }
}

/** Patterns are text; a mount point whose bytes are no UTF-8 cannot be written as one, and is then not matched. */
function textOf(path: ByteString): string {
  return bytesOf(path).toString('utf8');
}
