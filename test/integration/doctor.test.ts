/** `p2c doctor` on this machine, each answer compared with what the machine itself does. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import test from 'ava';
import { cli } from '../helpers/cli.ts';
import { requirePrograms, requireRoot } from '../helpers/require.ts';

const run = promisify(execFile);

test('doctor tells what this machine can run', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['runc', 'unshare'])) return;
  const ended = await cli(['doctor', '--json']);
  t.is(ended.code, 0, ended.stderr);
  const { canRun, engines, machine } = JSON.parse(ended.stdout);
  t.true(canRun);
  t.true(engines.includes('namespaces'));
  t.is(machine.architecture, (await run('uname', ['-m'])).stdout.trim());
  t.is(machine.kernel, (await run('uname', ['-r'])).stdout.trim());
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8');
  t.is(['v2', 'hybrid'].includes(machine.cgroups.mode), mounts.includes(' - cgroup2 '));
  t.is(machine.vsyscall !== 'none', readFileSync('/proc/self/maps', 'utf8').includes('[vsyscall]'));
  // The runtime that the tests of the runner use.
  t.deepEqual(machine.engines[0], { name: 'namespaces', version: null, works: { able: true } });
  const runc = machine.engines.find(({ name }: { name: string }) => name === 'runc');
  t.deepEqual(runc.works, { able: true });
  const page = await cli(['doctor']);
  t.is(page.code, 0);
  t.regex(page.stdout, /^kernel +ok +.*as root$/m);
});

test('doctor says so where no container can run', async (t) => {
  if (!requireRoot(t) || !requirePrograms(t, ['setpriv'])) return;
  // Root without the capability that every namespace needs.
  const without = 'setpriv --bounding-set=-sys_admin "$0" dist/cli.cjs doctor --json; echo "$?"';
  const [report = '', code] = (await run('sh', ['-c', without, process.execPath])).stdout.split('\n');
  t.is(code, '1');
  const { canRun, checks } = JSON.parse(report);
  t.false(canRun);
  const missing = checks.filter(({ state }: { state: string }) => state === 'missing');
  t.deepEqual(
    missing.map(({ id }: { id: string }) => id),
    ['namespaces', 'overlayfs'],
  );
});
