/** Waiting for a container's last end. */
import { AttachClient } from './attach/client.ts';
import { type Container, stateOrGone } from './container.ts';

const POLL = 100;
/** As podman: of one whose end nobody saw. */
const UNKNOWN = -1;

/** @returns the exit code; 0 for one that never started, -1 where nobody saw how it ended. */
export async function waitForContainer({ folder }: Container): Promise<number> {
  for (;;) {
    // Its monitor tells it also where the container is removed with its end.
    const told = await toldByMonitor(folder);
    if (told !== undefined) return told;
    const state = await stateOrGone(folder);
    if (state === undefined) return UNKNOWN;
    if (state.status === 'created') return 0;
    if (state.status === 'exited') return state.exitCode ?? UNKNOWN;
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

/** @returns undefined where it has no monitor, or lost it. */
async function toldByMonitor(folder: string): Promise<number | undefined> {
  using client = await AttachClient.connect(folder, { input: false, output: false });
  try {
    for await (const event of client?.events() ?? []) if ('ended' in event) return event.ended.exitCode;
  } catch {
    // Lost: the state tells the rest.
  }
  return undefined;
}
