/** Waiting for a container's last end. */
import { AttachClient } from './attach/client.ts';
import { type Container, type State, stateOrGone } from './container.ts';
import { bootId } from './process.ts';

const POLL = 100;

/** How it ended, or why nobody knows that. */
export type Waited = { readonly exitCode: number } | { readonly unknown: string };

/** @returns the exit code; 0 for one that never started. */
export async function waitForContainer({ folder }: Container): Promise<Waited> {
  for (;;) {
    // Its monitor tells it also where the container is removed with its end.
    const told = await toldByMonitor(folder);
    if (told !== undefined) return { exitCode: told };
    const state = await stateOrGone(folder);
    if (state === undefined) return { unknown: 'it was removed meanwhile' };
    if (state.status === 'created') return { exitCode: 0 };
    if (state.status === 'exited') return state.exitCode === undefined ? unseen(state) : { exitCode: state.exitCode };
    await new Promise((resolve) => setTimeout(resolve, POLL));
  }
}

function unseen({ boot }: State): Waited {
  const why = 'its monitor, a process of p2c that would have noted it, was killed before the container ended';
  return { unknown: boot === bootId() ? why : 'this machine went down while it ran' };
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
