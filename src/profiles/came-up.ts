/**
 * Whether an application runs though its start failed: it was slow, or the server has ways of its own to start it. Only
 * its checks can tell, so one whose failed step has none is never known to run.
 */
import type { StartTask } from './application.ts';
import { waitForUp } from './looking.ts';
import type { Stopped } from './resume.ts';
import type { Scene } from './step-execution.ts';

/** What starts over and over, and ends soon each time, must not pass for it. */
const SETTLE_MS = 5000;

/** @param failed its steps that did: each must have a check. @throws OutOfReach. */
export async function cameUp(
  scene: Scene,
  { application }: Pick<Stopped, 'application'>,
  failed: readonly StartTask[],
): Promise<boolean> {
  if (failed.some(({ up }) => up.length === 0)) return false;
  const up = application.start.flatMap((task) => task.up);
  if (up.length === 0) return false;
  return (await waitForUp(scene, application, { up }, { limitMs: 0, settleMs: SETTLE_MS })).length === 0;
}
