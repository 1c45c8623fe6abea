import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import { cli, startCli } from '../helpers/cli.ts';
import { type LabServer, labServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const run = promisify(execFile);
const KILLS = 10;

function migrateArgs(server: LabServer, ...more: string[]): string[] {
  const access = ['--identity', server.identity, '--known-hosts', server.knownHosts];
  return ['migrate', `root@${server.address}`, ...access, '--profile', 'nginx', '--tag', 'lab:one', '--json', ...more];
}

function layersOf(root: string): string[] {
  const blob = (digest: string): unknown =>
    JSON.parse(readFileSync(join(root, 'blobs/sha256', digest.slice(7)), 'utf8'));
  const index = JSON.parse(readFileSync(join(root, 'index.json'), 'utf8'));
  const manifest = blob(index.manifests[0].digest) as { layers: { digest: string }[] };
  return manifest.layers.map(({ digest }) => digest);
}

/** Ends the server's side of every connection. @returns whether there was one. */
async function cutConnections({ netns }: LabServer): Promise<boolean> {
  const { stdout } = await run('ip', ['netns', 'pids', netns]);
  const pids = stdout.split('\n').filter((pid) => pid !== '');
  const sessions = pids.filter((pid) => /^sshd(?:-session)?: root@notty/.test(commandLine(pid)));
  for (const pid of sessions) process.kill(Number(pid), 'SIGKILL');
  return sessions.length > 0;
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}

test('a connection that is killed at ten random moments: the same image, and nothing stays stopped', async (t) => {
  if (!requireRoot(t)) return;
  const server = await labServer(t, 'cut', { large: true });
  const [calm, rough] = [await temporaryFolder(t), await temporaryFolder(t)];
  const undisturbed = async (): Promise<string[]> => {
    const ended = await cli(migrateArgs(server), { P2C_ROOT: calm });
    t.is(ended.code, 0, ended.stderr);
    return layersOf(calm);
  };
  // A server that has just booted still writes a file here and there: first it is to stand still.
  let expected = await undisturbed();
  for (let again = await undisturbed(); again.join() !== expected.join(); again = await undisturbed()) expected = again;

  // Slow enough for all the kills.
  const p2c = startCli(migrateArgs(server, '--retries', String(2 * KILLS), '--limit-rate', '150m'), {
    P2C_ROOT: rough,
  });
  let running = true;
  void p2c.ended.then(() => {
    running = false;
  });
  const moments: number[] = [];
  let kills = 0;
  while (kills < KILLS && running) {
    const moment = Math.round(Math.random() * 1500);
    moments.push(moment);
    await pause(moment);
    if (await cutConnections(server)) kills += 1;
  }
  t.log(`${kills} connections killed; pauses of ${moments.join(', ')} ms`);
  const ended = await p2c.ended;
  t.is(kills, KILLS, ended.stderr);
  t.is(ended.code, 0, ended.stderr);
  t.deepEqual(layersOf(rough), expected);
  const page = await fetch(`http://${server.address}/`, { signal: AbortSignal.timeout(60_000) });
  t.regex(await page.text(), /Hello from/);
  t.is(await server.exec('ls -d /run/p2c.lease 2>/dev/null || true'), '');
});
