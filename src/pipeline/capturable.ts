/** What a survey shows that no capture could do: told before anything is stopped on the source. */

import { P2cError } from '../errors.ts';
import { LONGEST_PATH, TOO_LONG } from '../listing/anatomy.ts';
import { printablePath } from '../printable.ts';
import { formatCount } from '../report/units.ts';
import { requireTar } from '../source/tools.ts';
import type { MigrationRequest } from './request.ts';
import type { Survey } from './survey.ts';

/** @throws P2cError `source.tar`, or `source.long-paths` where these are not to be passed over. */
export function requireCapturable(request: MigrationRequest, { facts, audited }: Survey): void {
  requireTar(facts.tools, request.target.name, request.sparse === 'pax');
  const tooLong = audited.anatomy.hazards.find(({ kind }) => kind === TOO_LONG);
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
