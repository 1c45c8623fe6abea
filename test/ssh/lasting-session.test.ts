import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import type { AuthContext } from 'ssh2';
import { P2cError } from '../../src/errors.ts';
import { connect } from '../../src/ssh/connect.ts';
import { mayHeal, pauseBefore } from '../../src/ssh/healing.ts';
import { type LastingOptions, LastingSession } from '../../src/ssh/lasting-session.ts';
import { Answers, Secret } from '../../src/ssh/secret.ts';
import { startLink } from '../helpers/link.ts';
import { startRelay } from '../helpers/relay.ts';
import { requirePrograms } from '../helpers/require.ts';
import { type ServerBehaviour, startServer, type TestServer } from '../helpers/ssh-server.ts';
import { generateKey } from '../helpers/sshd.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

async function lasting(t: ExecutionContext, server: TestServer, more: Partial<LastingOptions> = {}) {
  const session = await LastingSession.open(server.target, { ...server.options, retries: 2, ...more });
  t.teardown(() => session[Symbol.asyncDispose]());
  return session;
}

/** A server that ends the connection under commands whose text holds `cut`, as often as told. */
function cutting(times: number, where = 'cut'): ServerBehaviour & { readonly seen: string[] } {
  const seen: string[] = [];
  let left = times;
  return {
    seen,
    exec(command, accept) {
      seen.push(command);
      if (!command.includes(where) || left === 0) return false;
      left -= 1;
      accept();
      return 'cut';
    },
  };
}

const reading = { purpose: 'read', script: 'echo cut' };

test('a command that reads is run again over a new connection, and the ledger has both', async (t) => {
  const behaviour = cutting(2);
  const trouble: string[] = [];
  const session = await lasting(t, await startServer(t, behaviour), { onTrouble: (line) => trouble.push(line) });
  t.is((await session.run(reading)).stdout.toString(), 'cut\n');
  t.is(behaviour.seen.filter((command) => command.includes('echo cut')).length, 3);
  t.deepEqual(
    session.ledger.filter(({ purpose }) => purpose === 'read').map(({ code }) => code),
    [null, null, 0],
  );
  t.is(trouble.filter((line) => /was lost.*; connecting again/.test(line)).length, 2);
  t.is(trouble.filter((line) => /^connected to .* again$/.test(line)).length, 2);
});

test('a link that is lost before p2c knows who it is there is made again, as often as allowed', async (t) => {
  const trouble: string[] = [];
  const server = await startServer(t, cutting(2, 'id -u'));
  const session = await lasting(t, server, { onTrouble: (line) => trouble.push(line) });
  t.is(session.privilege, 'root');
  t.is(trouble.filter((line) => /was lost.*; connecting again/.test(line)).length, 2);
  const unlucky = await startServer(t, cutting(3, 'id -u'));
  await t.throwsAsync(lasting(t, unlucky), { code: 'ssh.lost' });
});

test('a command that changes the source is not run twice, but the next one finds a connection', async (t) => {
  const session = await lasting(t, await startServer(t, cutting(1)));
  const error = await t.throwsAsync(session.run({ ...reading, changesSource: true }), { instanceOf: P2cError });
  t.is(error.code, 'ssh.lost');
  t.is((await session.run(reading)).code, 0);
});

test('one that changes the source and may be repeated is', async (t) => {
  const session = await lasting(t, await startServer(t, cutting(1)));
  t.is((await session.run({ ...reading, changesSource: true, repeatable: true })).code, 0);
});

test('an input that can be read once only is not sent twice', async (t) => {
  const session = await lasting(t, await startServer(t, cutting(1)));
  async function* input(): AsyncGenerator<Buffer> {
    yield Buffer.from('once');
  }
  await t.throwsAsync(session.run({ ...reading, input: input() }), { code: 'ssh.lost' });
});

test('with no retries the first loss is the end', async (t) => {
  const session = await lasting(t, await startServer(t, cutting(1)), { retries: 0 });
  const error = await t.throwsAsync(session.run(reading), { instanceOf: P2cError });
  t.regex(error.message, /^the connection to \S+ was lost/);
  await t.throwsAsync(session.run(reading), { code: 'ssh.lost' });
});

test('after the last retry the error tells how many there were', async (t) => {
  const server = await startServer(t, cutting(1));
  const session = await lasting(t, server, { retries: 2 });
  server.close();
  const error = await t.throwsAsync(session.run(reading), { instanceOf: P2cError });
  t.is(error.code, 'ssh.gone');
  t.false(mayHeal(error));
  t.regex(error.message, /was lost.*, and 2 attempts to connect again failed: .*refuses the connection/);
});

test('a password is asked for once, also where the link has to be made again', async (t) => {
  const questions: string[] = [];
  const authenticate = (context: AuthContext): void => {
    if (context.method === 'password' && context.password === 'xyzzy') context.accept();
    else context.reject(['password']);
  };
  const server = await startServer(t, { ...cutting(1), authenticate });
  const prompt = async (question: string): Promise<Secret> => {
    questions.push(question);
    return new Secret(questions.length === 1 ? 'wrong' : 'xyzzy');
  };
  const session = await lasting(t, server, { prompt, identities: [] });
  t.is((await session.run(reading)).code, 0);
  t.is(questions.length, 2, 'the wrong answer and the right one, of the first connection');
});

/** The target, behind a server that has nothing of its own but the way. */
async function behind(t: ExecutionContext, gate: TestServer, server: TestServer, more: Partial<LastingOptions>) {
  const knownHostsFiles = [server.knownHosts, gate.knownHosts];
  return lasting(t, server, { jumps: [gate.target], knownHostsFiles, ...more });
}

test('a key that is locked opens the jump host and the target, is asked for once, and opens them again', async (t) => {
  if (!requirePrograms(t, ['ssh'])) return;
  const key = join(await temporaryFolder(t), 'key');
  await generateKey(key, 'ed25519', 'passphrase');
  const authenticate = (context: AuthContext): void => {
    if (context.method === 'publickey') context.accept();
    else context.reject(['publickey']);
  };
  const server = await startServer(t, { ...cutting(1), authenticate });
  const asked: string[] = [];
  const prompt = async (question: string): Promise<Secret> => {
    asked.push(question);
    return new Secret('passphrase');
  };
  const file = join(server.folder, 'config');
  await writeFile(file, `IdentityFile ${key}\n`);
  const gate = await startServer(t, { authenticate });
  const session = await behind(t, gate, server, { prompt, identities: undefined, sshConfig: { file } });
  t.is((await session.run(reading)).code, 0);
  t.deepEqual(asked, [`Passphrase of ${key}:`]);
});

test('a jump host and a target of one name are each given their own password, also over a link that is made again', async (t) => {
  const heard: Record<'gate' | 'inner', string[]> = { gate: [], inner: [] };
  const authenticate = (who: 'gate' | 'inner') => (context: AuthContext) => {
    if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
    const questions = who === 'gate' ? ['Password:'] : ['Password:', 'Password:'];
    context.prompt(
      questions.map((prompt) => ({ prompt, echo: false })),
      (given) => {
        heard[who].push(...given);
        if (given.join() === (who === 'gate' ? 'for gate' : 'one,two')) context.accept();
        else context.reject(['keyboard-interactive']);
      },
    );
  };
  const server = await startServer(t, { ...cutting(1), authenticate: authenticate('inner') });
  const asked: string[] = [];
  const answers = ['for gate', 'one', 'two'];
  const prompt = async (question: string): Promise<Secret> => {
    asked.push(question);
    return new Secret(answers.shift() ?? '');
  };
  const gate = await startServer(t, { authenticate: authenticate('gate') });
  const session = await behind(t, gate, server, { prompt, identities: [] });
  t.is((await session.run(reading)).code, 0);
  t.deepEqual(
    asked,
    [gate, server, server].map(({ port }) => `joe@127.0.0.1 port ${port}: Password:`),
  );
  t.deepEqual(heard, { gate: Array(2).fill('for gate'), inner: ['one', 'two', 'one', 'two'] });
});

for (const own of ['none', '/dev/null']) {
  test(`over a link that is made again no other key is taken as new, with UserKnownHostsFile ${own}`, async (t) => {
    if (!requirePrograms(t, ['ssh'])) return;
    const authenticate = (heard: string[]) => (context: AuthContext) => {
      if (context.method === 'password') heard.push(context.password);
      if (context.method === 'password') context.accept();
      else context.reject(['password']);
    };
    const [meant, other]: [string[], string[]] = [[], []];
    const server = await startServer(t, { ...cutting(1), authenticate: authenticate(meant) });
    const stranger = await startServer(t, { keyTypes: ['rsa'], authenticate: authenticate(other) });
    let port = server.port;
    // One address, at which somebody else answers the second time.
    const address = await startLink(t, () => port);
    const config = join(server.folder, 'config');
    await writeFile(
      config,
      `Host *\n UserKnownHostsFile ${own}\n GlobalKnownHostsFile none\n StrictHostKeyChecking accept-new\n`,
    );
    const notices: string[] = [];
    const session = await LastingSession.open(
      { ...server.target, port: address.port },
      {
        ...server.options,
        retries: 2,
        knownHostsFiles: undefined,
        sshConfig: { file: config },
        password: async () => new Secret('xyzzy'),
        onNotice: (line) => notices.push(line),
        onTrouble: () => {
          port = stranger.port;
        },
      },
    );
    t.teardown(() => session[Symbol.asyncDispose]());
    t.regex(notices.join(), /was not known; taken for this time and not remembered/);
    const error = await t.throwsAsync(session.run(reading), { instanceOf: P2cError });
    t.is(error.code, 'ssh.host-key-changed');
    t.regex(error.message, /since it was taken as new: it shows ssh-rsa SHA256:\S+, and showed ssh-ed25519 SHA256:/);
    t.deepEqual([meant, other], [['xyzzy'], []]);
  });
}

test('a server that no longer lets p2c in is not asked again and again', async (t) => {
  let connections = 0;
  const authenticate = (context: AuthContext): void => {
    if (context.method === 'none') connections += 1;
    if (context.method === 'publickey' && connections === 1) context.accept();
    else context.reject(['publickey']);
  };
  const session = await lasting(t, await startServer(t, { ...cutting(1), authenticate }), { retries: 5 });
  await t.throwsAsync(session.run(reading), { code: 'ssh.auth' });
  t.is(connections, 2);
});

test('an interruption ends the waiting for a connection; one that came before does not prevent it', async (t) => {
  const server = await startServer(t, cutting(1));
  const before = new AbortController();
  const session = await lasting(t, server, { signal: before.signal });
  before.abort(new Error('interrupted'));
  t.is((await session.run(reading)).code, 0);

  const during = new AbortController();
  const other = await startServer(t, cutting(1));
  const waiting = await lasting(t, other, {
    signal: during.signal,
    retries: 100,
    onTrouble: () => during.abort(new Error('interrupted')),
  });
  other.close();
  await t.throwsAsync(waiting.run(reading), { message: /interrupted/ });
});

test('pauses double up to half a minute; only what a moment can heal is tried again', (t) => {
  t.deepEqual([1, 2, 3, 7, 50].map(pauseBefore), [500, 1000, 2000, 30_000, 30_000]);
  t.true(mayHeal(new P2cError('', { code: 'ssh.lost' })));
  for (const code of ['ssh.auth', 'ssh.host-key-changed', 'tar.malformed', 'store.full']) {
    t.false(mayHeal(new P2cError('', { code })), code);
  }
  t.false(mayHeal(new Error('ssh.lost')));
});

test('what was answered is given once to each connection', async (t) => {
  let asked = 0;
  const answers = new Answers();
  const ask = async (): Promise<Secret> => new Secret(String(++asked));
  const first = answers.prompt(ask);
  t.is((await first('Password?')).reveal(), '1');
  t.is((await first('Password?')).reveal(), '2', 'the first answer was wrong');
  const second = answers.prompt(ask);
  t.is((await second('Password?')).reveal(), '2');
  t.is((await second('Password?')).reveal(), '3');
  t.is((await second('Code?')).reveal(), '4');
  t.is((await second('Code?', 'of another server')).reveal(), '5');
  t.is((await answers.prompt(ask)('Code?')).reveal(), '4');
});

test('of connections that are made at the same time, one takes a new key, and none another', async (t) => {
  const servers = [
    await startServer(t, { keyTypes: ['ed25519'] }),
    await startServer(t, { keyTypes: ['rsa'] }),
  ] as const;
  let count = 0;
  const relay = await startRelay(t, () => servers[count++ % 2 === 0 ? 0 : 1].port);
  const { target, options } = servers[0];
  const open = () =>
    connect({ ...target, port: relay.port }, { ...options, knownHostsFiles: ['/dev/null'], acceptNewHostKey: true });
  const outcomes = await Promise.allSettled([open(), open(), open(), open()]);
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value[Symbol.asyncDispose]();
  t.deepEqual(refused, ['ssh.host-key-changed', 'ssh.host-key-changed']);
});
