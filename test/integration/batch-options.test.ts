/** Batches over hosts that nobody listens at (port 1 of this machine): what begins, in which order, and what is told of it. */
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import * as z from 'zod';
import { cli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { startWebServer } from '../helpers/web-server.ts';

const Event = z.looseObject({
  event: z.string(),
  host: z.string().optional(),
  reason: z.string().optional(),
  error: z.object({ code: z.string(), message: z.string() }).optional(),
});

const FLEET = `defaults: { user: root, port: 1, tag: 'x/{{host}}:1' }
groups:
  shop: { hosts: [web1, web2], after: db }
  far: { hosts: far, jump: 'gate@127.0.0.1:1' }
hosts:
  web1: { address: 127.0.0.1, order: -5 }
  web2: { address: 127.0.0.1 }
  db: { address: 127.0.0.1 }
  far: { address: 192.0.2.1 }
`;

async function fleet(t: ExecutionContext, text: string) {
  const folder = await temporaryFolder(t);
  const file = join(folder, 'fleet.yaml');
  await writeFile(file, text);
  const env = { P2C_ROOT: join(folder, 'store') };
  const run = async (verb: string, ...args: readonly string[]) => {
    const ended = await cli([verb, '-i', file, '--retries', '0', '--attempts', '1', '--json', ...args], env);
    const lines = ended.stdout.split('\n').filter((line) => line !== '');
    return { ...ended, events: lines.map((line) => Event.parse(JSON.parse(line))) };
  };
  return { folder, file, env, run };
}

test('orders, dependencies and waves of an inventory, to the end and to its remedy', async (t) => {
  const { folder, file, env, run } = await fleet(t, FLEET);
  const { code, events, stderr } = await run('migrate', '--serial', '25%');
  t.is(code, 1, stderr);
  const of = (event: string) => events.filter((each) => each.event === event);
  t.deepEqual(
    of('host-started').map(({ host }) => host),
    ['db', 'far'],
    'what web1 comes after is begun before it, whatever their order and their waves',
  );
  const failures = new Map(of('host-failed').map(({ host, error }) => [host, error?.code]));
  const lost = 'fleet.dependency';
  t.deepEqual(Object.fromEntries(failures), { db: 'ssh.refused', web1: lost, web2: lost, far: 'ssh.refused' });
  t.true(of('host-waiting').some(({ host, reason }) => host === 'far' && reason === 'for wave 3'));
  // The way is over the jump host: it is the one that refuses.
  t.regex(of('host-failed').find(({ host }) => host === 'far')?.error?.message ?? '', /127\.0\.0\.1 port 1/);

  const failed = await cli(['runs', 'show', '--failed'], env);
  const names = join(folder, 'failed.txt');
  await writeFile(names, failed.stdout);
  const limited = await cli(['inventory', 'ls', '-i', file, '--limit', `@${names}`, '--json', '--', '!far:!web2'], env);
  const Named = z.array(z.object({ name: z.string() }));
  t.deepEqual(
    Named.parse(JSON.parse(limited.stdout)).map(({ name }) => name),
    ['web1', 'db'],
  );
  const resumed = await cli(['migrate', '--resume', '--retries', '0', '--attempts', '1', '--no-estimate'], env);
  t.regex(resumed.stdout, /"run-resumed".*"event":"run-finished","exitCode":1,"done":0,"failed":4,/s, resumed.stderr);
});

test('looking waits for no window and for no other host', async (t) => {
  const text = FLEET.replace('after: db', "after: db, window: '2020-01-01 00:00 - 2020-01-02 00:00'");
  const { run } = await fleet(t, text);
  for (const verb of ['audit', 'inspect']) {
    const { code, events, stderr } = await run(verb, 'shop');
    t.is(code, 1, stderr);
    const begun = events.filter(({ event }) => event === 'host-started').map(({ host }) => host);
    t.deepEqual(begun.sort(), ['web1', 'web2'], verb);
  }
  const late = await run('migrate', 'shop');
  t.is(late.code, 2);
  t.regex(late.stderr, /the maintenance window of 'web1' is over/);
});

test('hooks that fail are told at the end of a batch, and the address of the webhook nowhere', async (t) => {
  const { file, env } = await fleet(t, FLEET);
  const { url, posted } = await startWebServer(t, (response) => response.writeHead(500).end());
  const once = ['--retries', '0', '--attempts', '1', 'web1', '--webhook', url.href];
  const { code, stdout, stderr } = await cli(['audit', '-i', file, ...once, '--fail', 'exit 3'], env);
  t.is(code, 1, stderr);
  t.is(posted.length, 4);
  t.regex(stderr, /^p2c: the fail command failed 1 of 1 times, the last time with: exit code 3$/m);
  t.regex(stderr, /^p2c: the webhook failed 4 of 4 times, the last time with: 500 Internal Server Error$/m);
  t.notRegex(stdout + stderr, /geheim/);
});

test('a batch-pre that fails or is interrupted is the failure of its batch: batch-fail and the webhook are told', async (t) => {
  const Told = z.object({ hook: z.string(), exitCode: z.number(), error: z.object({ code: z.string() }) });
  for (const [pre, code, why] of [
    ['exit 3', 1, 'hook.failed'],
    ['echo begun >&2; kill -INT $PPID; sleep 100', 130, 'interrupted'],
  ] as const) {
    const { folder, file, env } = await fleet(t, FLEET);
    const { url, posted } = await startWebServer(t, (response) => response.end());
    const told = join(folder, 'told');
    const hooks = ['--batch-pre', pre, '--batch-fail', `cat >${told}`, '--webhook', url.href];
    const ended = await cli(['audit', '-i', file, ...hooks], env);
    t.is(ended.code, code, ended.stderr);
    t.regex(
      ended.stderr,
      why === 'interrupted' ? /interrupted/ : /^p2c: the batch-pre command ended with exit code 3$/m,
    );
    t.like(Told.parse(JSON.parse(await readFile(told, 'utf8'))), {
      hook: 'fail',
      exitCode: code,
      error: { code: why },
    });
    t.deepEqual(
      posted.map(({ body }) => JSON.parse(body).hook),
      ['pre', 'fail'],
    );
  }
});

test('what hooks and password commands run is in the journal alone', async (t) => {
  const { folder, run, env } = await fleet(t, FLEET);
  const secrets = ['--pre', ': S3CRET', '--password-command=echo HUNTER2'];
  const { stdout, stderr } = await run('audit', 'web1', ...secrets);
  const page = join(folder, 'page.html');
  const told = await Promise.all(
    [
      ['runs', 'show', '--json'],
      ['runs', 'ls', '--json'],
      ['report', '--json', '-', '--html', page],
    ].map((words) => cli(words, env)),
  );
  const all = [stdout, stderr, await readFile(page, 'utf8'), ...told.map((ended) => ended.stdout)].join('\n');
  t.notRegex(all, /S3CRET|HUNTER2/);
  t.regex(stdout, /"--pre","\[command\]","--password-command=\[command\]"/);
  const [name = ''] = await readdir(join(env.P2C_ROOT, 'runs'));
  const journal = join(env.P2C_ROOT, 'runs', name, 'journal.ndjson');
  t.regex(await readFile(journal, 'utf8'), /S3CRET.*HUNTER2/);
  t.is((await stat(journal)).mode & 0o777, 0o600);
});

test('options of one server are refused where an inventory is given', async (t) => {
  const { file, env } = await fleet(t, FLEET);
  for (const words of [
    ['inspect', '--print-sudoers'],
    ['inspect', '--port', '22'],
    ['audit', '-p', '22'],
    ['migrate', '--port', '22'],
  ]) {
    const { code, stdout, stderr } = await cli([...words, '-i', file], env);
    t.is(code, 2, stderr);
    t.regex(stderr, /--(?:print-sudoers is for one server|port is for one target)/);
    t.is(stdout, '');
  }
  t.false(existsSync(env.P2C_ROOT));
});

const WRONG: readonly (readonly [words: readonly string[], told: RegExp])[] = [
  [['--limit-rate', '0'], /--limit-rate '0' is not a number of bytes/],
  [['--retries', '1000'], /--retries 1000 is not a whole number from 0 to 100/],
  [['--connect-timeout', '-1'], /--connect-timeout -1 is not a number of seconds/],
  [['--idle-timeout', '0'], /--idle-timeout 0 is not a number of seconds/],
  [['--host-key-fingerprint', 'foo'], /'foo' is not the fingerprint of a host key/],
  [['--identity', '/nope'], /the identity \/nope cannot be used: there is no such file/],
  [['-F', '/nope'], /the ssh_config \/nope cannot be read: there is no such file/],
  [['--known-hosts', '/nope'], /the known hosts file \/nope cannot be read: there is no such file/],
  [['--per-group', 'shpo=1'], /fleet\.yaml has no group 'shpo' \(did you mean 'shop'\?\)/],
  [['--metrics-file', '/nope/x.prom'], /--metrics-file \/nope\/x\.prom cannot be written/],
];

test('what is wrong with the options of a batch is told once, and no run is begun', async (t) => {
  const { file, env } = await fleet(t, FLEET);
  for (const [words, told] of WRONG) {
    for (const verb of ['migrate', 'audit', 'inspect']) {
      const { code, stdout, stderr } = await cli([verb, '-i', file, ...words], env);
      t.is(code, 2, `${verb} ${words.join(' ')}: ${stderr}`);
      t.regex(stderr, told);
      t.is(stdout, '');
    }
  }
  const pattern = await cli(['audit', '-i', file, '--exclude', 'rel'], env);
  t.is(pattern.code, 2);
  const dry = await cli(['migrate', '-i', file, '--dry-run', '--retries', '-1'], env);
  t.regex(dry.stderr, /--retries -1/, 'that --dry-run takes no inventory hides no other mistake');
  t.regex(
    (await cli(['migrate', '-i', file, '--dry-run'], env)).stderr,
    /--dry-run takes one target, and no inventory/,
  );
  t.false(existsSync(env.P2C_ROOT));
});

test("what an inventory says wrongly of its hosts' keys is told by host", async (t) => {
  const { file, env } = await fleet(t, FLEET.replace('192.0.2.1 }', '192.0.2.1, identity: keys/far }'));
  const { code, stderr } = await cli(['audit', '-i', file], env);
  t.is(code, 2);
  t.regex(stderr, /far: the identity \/.*\/keys\/far cannot be used: there is no such file/);
  t.false(existsSync(env.P2C_ROOT));
});

test('what hosts wait for, which were not begun, and what goes on with them', async (t) => {
  const { folder, file, env } = await fleet(t, FLEET);
  const once = ['--retries', '0', '--attempts', '1', '--no-estimate', '--fail-fast', '--concurrency', '1'];
  const made = ['--known-hosts', join(folder, 'made'), '--accept-new-host-key'];
  const { code, stdout, stderr } = await cli(['migrate', '-i', file, ...once, ...made], env);
  t.is(code, 1, stderr);
  t.regex(stderr, /^\d\d:\d\d:\d\d web1: waits for db$/m);
  t.regex(stderr, /^\d\d:\d\d:\d\d far: waits for its turn \(1 at once\)$/m);
  t.regex(stderr, /^p2c: far: it was not begun: 1 host had failed before$/m);
  t.regex(stdout, /^web1 +not begun +-/m);
  t.regex(stdout, /^0 done, 1 failed, 3 not begun, of 4 hosts$/m);
  const show = await cli(['runs', 'show', '--failed'], env);
  t.deepEqual(show.stdout.trim().split('\n').sort(), ['db', 'far', 'web1', 'web2']);
  const audit = await cli(['audit', '-i', file, ...once.filter((word) => word !== '--no-estimate')], env);
  t.notRegex(audit.stderr, /migrate --resume/);
  t.regex(audit.stdout, /^0 done, 1 failed, 3 not begun, of 4 hosts$/m);
});

test('a word more than a verb takes is refused, and not passed over', async (t) => {
  const { env, run } = await fleet(t, FLEET);
  await run('audit', 'web1');
  const [id = ''] = await readdir(join(env.P2C_ROOT, 'runs'));
  for (const [words, told] of [
    [['runs', 'ls', id], "'runs ls' takes no words"],
    [['runs', 'show', id, id], 'one run is expected, not 2'],
    [['report', id, id, '--csv', '-'], 'one run is expected, not 2'],
    [['image', 'adapt', '--list', 'old'], "'image adapt --list' takes no words"],
  ] as const) {
    const { code, stdout, stderr } = await cli(words, env);
    t.is(code, 2, words.join(' '));
    t.is(stdout, '');
    t.true(stderr.startsWith(`p2c: ${told}\n`), stderr);
  }
  t.is((await cli(['runs', 'show', id], env)).code, 0);
});

test('a metrics file that cannot be written at the end is told, and the batch has ended as it did', async (t) => {
  const { folder, file, env } = await fleet(t, FLEET);
  const metrics = join(folder, 'metrics');
  await mkdir(metrics);
  const once = ['--retries', '0', '--attempts', '1', '--metrics-file', join(metrics, 'x.prom')];
  const { code, stderr } = await cli(['audit', '-i', file, 'db', ...once, '--pre', `rm -r ${metrics}`], env);
  t.is(code, 1);
  t.regex(stderr, /^p2c: the metrics file .*x\.prom cannot be written: there is no such folder$/m);
  const page = await cli(['report', '--html', '/nope/x.html'], env);
  t.regex(page.stderr, /^p2c: \/nope\/x\.html cannot be written: there is no such folder$/m);
});
