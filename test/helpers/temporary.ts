/** A folder that is gone when the test is over. */
import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';

export async function temporaryFolder(t: ExecutionContext): Promise<string> {
  // Small letters: podman makes an image's name of a layout's path.
  const path = join(tmpdir(), `p2c-test-${randomBytes(6).toString('hex')}`);
  await mkdir(path, { mode: 0o700 });
  t.teardown(() => rm(path, { recursive: true, force: true }));
  return path;
}
