import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import yargs from 'yargs';
import { migrateOptions } from '../../src/commands/migrate-options.ts';
import { type Call, resumedCall } from '../../src/commands/resume.ts';
import { typedOptions } from '../../src/commands/typed-options.ts';
import { Run } from '../../src/fleet/run.ts';
import { newRunId, runFolder } from '../../src/fleet/runs.ts';
import { storeRoot } from '../../src/oci/root.ts';
import { version } from '../../src/version.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Begun {
  readonly first: string;
  readonly now: string;
}

/** Begins a run with some options and resumes it with others. The words are parted by blanks. */
async function resumed(t: ExecutionContext, { first, now }: Begun) {
  const home = process.cwd();
  const environment = process.env['P2C_ROOT'];
  t.teardown(() => {
    process.chdir(home);
    delete process.env['P2C_ROOT'];
    if (environment !== undefined) process.env['P2C_ROOT'] = environment;
  });
  const folder = await realpath(await temporaryFolder(t));
  const begun = join(folder, 'there');
  const here = join(folder, 'here');
  for (const each of [begun, here, join(folder, 'store')]) await mkdir(each, { recursive: true });
  process.chdir(here);
  process.env['P2C_ROOT'] = '../store';
  const id = newRunId();
  await using run = await Run.open(runFolder(storeRoot(), id), id);
  const hosts = [{ name: 'old', target: 'root@old:22', image: 'old:1' }];
  const argv = ['old', ...first.split(' ')];
  await run.record({ event: 'run-started', version: version(), verb: 'migrate', argv, folder: begun, hosts });
  const parser = migrateOptions(yargs([]).parserConfiguration({ 'dot-notation': false }).exitProcess(false));
  const { _, $0, ...options } = await parser.parseAsync(['--resume', ...now.split(' ')]);
  const call: Call = await resumedCall(options, [], typedOptions(parser.parsed));
  return { call, folder, here, begun };
}

test.serial(
  'what is typed with --resume replaces what the run was begun with, also where it is the default',
  async (t) => {
    const begun =
      '--no-stop --compress zstd --settle 5 --streams 4 --lease 5m --retries 0 --sparse pax --no-adapt --hot';
    const now = '--stop --compress auto --settle 2 --streams 2 --lease 2m --retries 6 --sparse skip --adapt --no-hot';
    const { call } = await resumed(t, { first: begun, now });
    t.like(call.options, {
      stop: true,
      compress: 'auto',
      settle: 2,
      streams: 2,
      lease: '2m',
      retries: 6,
      sparse: 'skip',
      adapt: true,
      hot: false,
    });
    t.deepEqual(call.words, ['old']);
  },
);

test.serial('what is not typed with --resume stays as the run was begun', async (t) => {
  const { call } = await resumed(t, {
    first: '-t old:1 --no-stop --settle 5 --exclude /a --exclude /b',
    now: '--retries 1',
  });
  t.like(call.options, { tag: 'old:1', stop: false, settle: 5, exclude: ['/a', '/b'], retries: 1, json: false });
  t.true(call.typed.has('tag') && call.typed.has('retries') && !call.typed.has('lease'));
});

test.serial(
  'files that are named with --resume are looked for where it is called, those of the run where that began',
  async (t) => {
    const { call, folder, here, begun } = await resumed(t, {
      first: '--identity k1 --profile ./own.yaml --known-hosts kh',
      now: '--identity ./k2 --profile shop.yaml --profile nginx -F none --inventory= --metrics-file m.prom --limit web*,@failed.txt',
    });
    t.is(process.cwd(), begun);
    t.like(call.options, {
      identity: [join(here, 'k2')],
      profile: [join(here, 'shop.yaml'), 'nginx'],
      'known-hosts': ['kh'],
      'ssh-config': 'none',
      inventory: '',
      'metrics-file': join(here, 'm.prom'),
      limit: [`web*,@${join(here, 'failed.txt')}`],
    });
    t.is(storeRoot(), join(folder, 'store'));
  },
);
