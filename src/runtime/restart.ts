/** Stopping a container and starting it again, as one. */
import { join } from 'node:path';
import { lock } from '../oci/lock.ts';
import type { Container } from './container.ts';
import { stopContainer } from './end.ts';
import { startMonitored } from './monitor.ts';
import { forgetRestart, markRestart } from './restart-mark.ts';

/** Seconds that another's restart may take beyond what both give the container to end. */
const ANOTHER_TAKES = 120;

/** Of two at once, the second stops what the first has started. @param patience milliseconds until it is killed. */
export async function restartContainer(root: string, container: Container, patience: number): Promise<void> {
  const { folder, definition } = container;
  const seconds = Math.ceil(patience / 1000 + definition.stopTimeout) + ANOTHER_TAKES;
  await using _ = await lock(join(folder, 'restart.lock'), seconds);
  try {
    await markRestart(folder);
    await stopContainer(container, patience);
    await startMonitored(root, container);
  } finally {
    await forgetRestart(folder);
  }
}
