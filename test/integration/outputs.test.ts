/** Standard output is lost in the middle of a run: nothing stays stopped for it, and the loss is told. */
import { spawn } from 'node:child_process';
import { openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { CLI, cli } from '../helpers/cli.ts';
import { type LabServer, startLabServer } from '../helpers/lab.ts';
import { requireRoot } from '../helpers/require.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

let shared: LabServer | undefined;
const server = async (): Promise<LabServer> => {
  shared ??= await startLabServer('outputs');
  return shared;
};
test.after.always(async () => shared?.[Symbol.asyncDispose]());

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

/** @param output a file descriptor, or the event after which the reader of a pipe goes away. */
async function withOutput(words: readonly string[], root: string, output: number | string): Promise<Ended> {
  const child = spawn(process.execPath, [CLI, ...words, '-F', 'none'], {
    env: { ...process.env, P2C_ROOT: root },
    stdio: ['ignore', typeof output === 'number' ? output : 'pipe', 'pipe'],
  });
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let stdout = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    if (stdout.includes(`"event":"${output}"`)) child.stdout?.destroy();
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { code, stderr };
}

async function fleetOf(t: ExecutionContext): Promise<{ server: LabServer; root: string; words: string[] }> {
  const one = await server();
  const root = await temporaryFolder(t);
  const file = join(root, 'fleet.yaml');
  const host = { address: one.address, user: 'root', identity: one.identity, profile: 'nginx', tag: 'one:1' };
  writeFileSync(file, JSON.stringify({ hosts: { one: host } }));
  return { server: one, root: join(root, 'store'), words: ['-i', file, '--known-hosts', one.knownHosts] };
}

test.serial('the reader of a batch goes away: it goes on to its end, and says so', async (t) => {
  if (!requireRoot(t)) return;
  const { server: one, root, words } = await fleetOf(t);
  const ended = await withOutput(['migrate', ...words, '--json', '--lease', '30m'], root, 'part-captured');
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /the reader of standard output went away: the run goes on; 'p2c runs show' has its account/);
  await one.exec('pgrep -x nginx && ! [ -e /run/p2c.lease ]');
  const { stdout } = await cli(['runs', 'ls', '--json'], { P2C_ROOT: root });
  t.regex(stdout, /"state":"done","began"/);
  t.is((await cli(['image', 'validate', 'one:1'], { P2C_ROOT: root })).code, 0);
});

test.serial(
  'no space for the output of a batch: the images are made all the same, and the exit code tells',
  async (t) => {
    if (!requireRoot(t)) return;
    const { server: one, root, words } = await fleetOf(t);
    const ended = await withOutput(['migrate', ...words, '--json', '--lease', '30m'], root, openSync('/dev/full', 'w'));
    t.is(ended.code, 1, ended.stderr);
    t.regex(ended.stderr, /standard output cannot be written \(ENOSPC\): the run goes on/);
    t.notRegex(ended.stderr, /\n {4}at /);
    await one.exec('pgrep -x nginx && ! [ -e /run/p2c.lease ]');
    t.is((await cli(['image', 'validate', 'one:1'], { P2C_ROOT: root })).code, 0);
  },
);

test.serial('who only looks, and cannot say what was seen, ends', async (t) => {
  if (!requireRoot(t)) return;
  const { root, words } = await fleetOf(t);
  const ended = await withOutput(['audit', ...words, '--json'], root, openSync('/dev/full', 'w'));
  t.is(ended.code, 1, ended.stderr);
  t.regex(ended.stderr, /standard output cannot be written \(ENOSPC\)\n {2}cause: .*\n {2}hint: /);
  t.notRegex(ended.stderr, /\n {4}at |goes on/);
});

test('whatever is printed where there is no space for it is no success', async (t) => {
  for (const words of [['--help'], ['profiles', 'ls'], ['migrate', '--help']]) {
    const child = spawn(process.execPath, [CLI, ...words], { stdio: ['ignore', openSync('/dev/full', 'w'), 'ignore'] });
    t.is(await new Promise((resolve) => child.once('close', resolve)), 1, words.join(' '));
  }
});
