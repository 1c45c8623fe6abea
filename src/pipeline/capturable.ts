/** What a survey shows that no capture could do: told before anything is stopped on the source. */

import { P2cError } from '../errors.ts';
import { LONGEST_PATH, TOO_LONG } from '../listing/anatomy.ts';
import type { CapturePlan } from '../listing/plan.ts';
import { printablePath } from '../printable.ts';
import type { AuditedListing } from '../report/survey-report.ts';
import { formatCount } from '../report/units.ts';
import { requireTar } from '../source/tools.ts';
import type { MigrationRequest } from './request.ts';
import type { Survey } from './survey.ts';

/** @throws P2cError `source.tar`, `source.nothing`, or `source.long-paths` where these are not to be passed over. */
export function requireCapturable(request: MigrationRequest, { facts, audited, plan }: Survey): void {
  requireTar(facts.tools, request.target.name, request.sparse === 'pax');
  // The root itself is left where a rule is about its contents.
  if (plan.entries <= 1) throw nothingLeft(request.target.name, plan);
  requireNamesThatOpen(request, audited);
}

function nothingLeft(where: string, { excluded }: CapturePlan): P2cError {
  const [most] = [...excluded].sort((a, b) => b.entries - a.entries);
  const rule = most === undefined ? '' : `: '${most.rule.id}' leaves out ${formatCount(most.entries, 'path')}`;
  return new P2cError(`the rules leave nothing of ${where} to capture${rule}`, {
    code: 'source.nothing',
    hint: "'p2c audit' shows what each rule leaves out",
  });
}

function requireNamesThatOpen(request: MigrationRequest, { anatomy }: AuditedListing): void {
  const tooLong = anatomy.hazards.find(({ kind }) => kind === TOO_LONG);
  if (tooLong === undefined || request.skipUnreadable) return;
  const [first] = tooLong.examples;
  const example = first === undefined ? '' : printablePath(first).slice(0, 80);
  throw new P2cError(
    `${request.target.name} has ${formatCount(tooLong.entries, 'path')} of more than ${LONGEST_PATH} bytes, ` +
      `which no program can open by name: ${example}…`,
    {
      code: 'source.long-paths',
      hint: "leave out the folder that they lie in (--exclude '/folder/**'), or go on without them: --skip-unreadable",
    },
  );
}
