/** Opens the door to a source: the first stage of every pipeline. */
import { LastingSession } from '../ssh/lasting-session.ts';
import { requirePrivilege } from '../ssh/privilege.ts';
import type { Session } from '../ssh/session.ts';
import type { SurveyRequest } from './request.ts';
import type { Belongings } from './rollback.ts';
import type { Show, Tell } from './stage.ts';

/** The stage that connects. The session is given back with `held`. */
export async function openSource(request: SurveyRequest, show: Show, held: Belongings): Promise<Session> {
  const note: Tell = (line) => show.note(line);
  const session = await show.stage(
    'Connect',
    () => connectPrivileged(request, note),
    (open) => `as ${open.target.user}`,
  );
  return held.use(session);
}

/** The session is the caller's to give back. */
export async function connectPrivileged(
  request: Pick<SurveyRequest, 'target' | 'connect'>,
  onTrouble: Tell,
): Promise<Session> {
  const session = await LastingSession.open(request.target, { ...request.connect, onTrouble });
  try {
    requirePrivilege(session);
    return session;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw error;
  }
}
